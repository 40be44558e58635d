//! Which lock is taken inside which, and which thread waits for which: what the kernel's lockdep finds out.
//!
//! The order is recorded for classes of locks, as in the kernel, so a wrong order is found even if the
//! threads never meet. A sleeping lock also notices when going to sleep would close a circle of threads
//! that wait for one another. It gives up then; a kernel would hang.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

// From `core` and `std` also under loom: this observes a model and must not become part of it.
use core::sync::atomic::{
    AtomicU16, AtomicU64, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};

use core::fmt;

use crate::locks::lock_beside_model;
use crate::sync::thread_local;

/// A class of locks, under its name in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockClass {
    /// `mm->mmap_sem`.
    MmapSem,
    /// `PG_locked`.
    PageLock,
    /// `ctx->ring_lock`.
    RingLock,
    /// `mapping->private_lock`.
    PrivateLock,
    /// `ctx->completion_lock`.
    CompletionLock,
    /// `mm->ioctx_lock`.
    IoctxLock,
    /// The lock of a wait queue.
    QueueLock,
    /// `ctx->ctx_lock`.
    CtxLock,
}

const CLASSES: [LockClass; 8] = [
    LockClass::MmapSem,
    LockClass::PageLock,
    LockClass::RingLock,
    LockClass::PrivateLock,
    LockClass::CompletionLock,
    LockClass::IoctxLock,
    LockClass::QueueLock,
    LockClass::CtxLock,
];

impl LockClass {
    fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for LockClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MmapSem => "mmap_sem",
            Self::PageLock => "the page lock",
            Self::RingLock => "ring_lock",
            Self::PrivateLock => "private_lock",
            Self::CompletionLock => "completion_lock",
            Self::IoctxLock => "ioctx_lock",
            Self::QueueLock => "the queue lock",
            Self::CtxLock => "ctx_lock",
        })
    }
}

/// Going to sleep here would be a deadlock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlock;

/// The number of the thread that holds a sleeping lock, or 0.
pub(super) type Holder = Arc<AtomicU64>;

thread_local! {
    /// The classes of the locks that this thread holds, in the order it took them.
    static HELD: RefCell<Vec<LockClass>> = RefCell::default();
}

thread_local! {
    /// The number of this thread. It is never 0, and no other thread has it.
    static ME: u64 = {
        static THREADS: AtomicU64 = AtomicU64::new(1);
        THREADS.fetch_add(1, Relaxed)
    };
}

/// What all locks of one world have in common.
#[derive(Debug, Default)]
pub(super) struct Lockdep {
    /// For each class, the classes that were taken while it was held: one bit each.
    inside: [AtomicU16; CLASSES.len()],
    /// How many locks of each class are held now.
    held: [AtomicUsize; CLASSES.len()],
    /// The threads that sleep, each with the lock it waits for.
    sleeping: Mutex<Vec<(u64, Holder)>>,
    deadlocks: AtomicU64,
}

impl Lockdep {
    /// This thread is about to take a lock of this class, and will wait if it has to. Locks that are only
    /// tried are not announced: they cannot close a circle.
    pub(super) fn about_to_take(&self, class: LockClass) {
        HELD.with(|held| {
            for outer in held.borrow().iter() {
                let inside = &self.inside[*outer as usize];
                if inside.load(Relaxed) & class.bit() == 0 {
                    inside.fetch_or(class.bit(), Relaxed);
                }
            }
        });
    }

    pub(super) fn taken(&self, class: LockClass) {
        HELD.with(|held| held.borrow_mut().push(class));
        self.held[class as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn released(&self, class: LockClass) {
        HELD.with(|held| {
            let mut held = held.borrow_mut();
            if let Some(last) = held.iter().rposition(|other| *other == class) {
                held.remove(last);
            }
        });
        self.held[class as usize].fetch_sub(1, Relaxed);
    }

    /// This thread has taken a sleeping lock.
    pub(super) fn hold(holder: &Holder) {
        holder.store(ME.with(|me| *me), Release);
    }

    /// It is about to release it.
    pub(super) fn release(holder: &Holder) {
        holder.store(0, Release);
    }

    /// This thread is about to sleep until the lock of this holder is free.
    ///
    /// A thread records what it holds before it announces what it waits for, and the list is locked. So
    /// the last thread of a circle sees the whole circle.
    pub(super) fn sleep(&self, holder: &Holder) -> Result<Sleeping<'_>, Deadlock> {
        let me = ME.with(|me| *me);
        let mut sleeping = lock_beside_model(&self.sleeping);
        let mut next = holder.load(Acquire);
        // A chain without a circle cannot be longer than the list.
        for _ in 0..=sleeping.len() {
            if next == me {
                self.deadlocks.fetch_add(1, Relaxed);
                return Err(Deadlock);
            }
            match sleeping.iter().find(|(thread, _)| *thread == next) {
                Some((_, awaited)) => next = awaited.load(Acquire),
                None => break,
            }
        }
        sleeping.push((me, Arc::clone(holder)));
        Ok(Sleeping { lockdep: self, me })
    }

    /// How often a thread would have ended up waiting for itself.
    pub(super) fn deadlocks(&self) -> u64 {
        self.deadlocks.load(Relaxed)
    }

    /// The classes with a lock that is held now.
    pub(super) fn held(&self) -> impl Iterator<Item = LockClass> {
        let held = |class: &LockClass| self.held[*class as usize].load(Relaxed) != 0;
        CLASSES.into_iter().filter(held)
    }

    /// The shortest circle in the order: each class was taken inside the one before it, and the first
    /// inside the last.
    pub(super) fn circle(&self) -> Option<Vec<LockClass>> {
        let circles = CLASSES
            .into_iter()
            .filter_map(|class| self.circle_from(class));
        circles.min_by_key(Vec::len)
    }

    /// The shortest way from a class back to itself, breadth first.
    fn circle_from(&self, start: LockClass) -> Option<Vec<LockClass>> {
        let mut ways = VecDeque::from([vec![start]]);
        while let Some(way) = ways.pop_front() {
            let last = *way.last().expect("a way has a start");
            let inside = self.inside[last as usize].load(Relaxed);
            if inside & start.bit() != 0 {
                return Some(way);
            }
            let next = CLASSES
                .into_iter()
                .filter(|class| inside & class.bit() != 0);
            for class in next.filter(|class| !way.contains(class)) {
                ways.push_back(way.iter().copied().chain([class]).collect());
            }
        }
        None
    }
}

/// Describes a circle in the lock order.
pub(super) fn write_circle(f: &mut fmt::Formatter<'_>, classes: &[LockClass]) -> fmt::Result {
    f.write_str("the lock order has a circle: ")?;
    for class in classes {
        write!(f, "{class} -> ")?;
    }
    match classes.first() {
        Some(first) => write!(f, "{first}"),
        None => Ok(()),
    }
}

/// A thread in the list of those that sleep.
#[derive(Debug)]
pub(super) struct Sleeping<'a> {
    lockdep: &'a Lockdep,
    me: u64,
}

impl Drop for Sleeping<'_> {
    fn drop(&mut self) {
        lock_beside_model(&self.lockdep.sleeping).retain(|(thread, _)| *thread != self.me);
    }
}
