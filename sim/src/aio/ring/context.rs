//! A context: `struct kioctx`.

use std::sync::{Arc, OnceLock};

// From `core` also under loom. Setup writes these before anybody else knows the context, or only the
// checker reads them, or they are counts that no race depends on.
use core::sync::atomic::{AtomicU32 as Count, AtomicU64, Ordering::AcqRel, Ordering::Acquire};

use seqschedlock::{Park, RawSeqSchedLock};

use super::file::RingFile;
use super::page::{RingPage, slot};
use super::version::Version;
use super::violation::Violation;
use super::witness::Witness;
use crate::aio::counts::get_unless_zero;
use crate::aio::errno::Errno;
use crate::aio::lifetime::Lifetime;
use crate::aio::lockdep::{Deadlock, LockClass};
use crate::aio::locks::{SleepingGuard, SleepingLock, SpinGuard, SpinLock};
use crate::sync::atomic::{
    AtomicBool, AtomicU32, AtomicUsize,
    Ordering::{Relaxed, Release},
};
use crate::sync::{Pointer, RING_SLOTS};

/// The file of a ring, which knows the context in its `private_data`.
pub(super) type Ring = RingFile<KioCtx>;

/// What `completion_lock` protects.
#[derive(Debug, Default)]
pub(super) struct Completion {
    /// The kernel's own tail. The one in the ring is for user space.
    pub(super) tail: u32,
}

#[derive(Debug)]
pub(super) struct KioCtx {
    pub(super) version: Version,
    users: AtomicU32,
    dead: AtomicBool,
    ring_pages: Box<[Pointer<RingPage>]>,
    nr_pages: AtomicUsize,
    /// The slots of all pages but one, which the header takes.
    pub(super) nr_events: u32,
    ring_lock: SleepingLock,
    completion_lock: SpinLock<Completion>,
    /// The lock of the version `Commit`: migrations are its sections.
    migrations: RawSeqSchedLock<Park>,
    file: OnceLock<Arc<Ring>>,
    /// `user_id` and `mmap_base`: they are the same as long as nobody moves the ring.
    user_id: AtomicU64,
    /// Its place in the table.
    id: Count,
    /// How many events may still be asked for: `reqs_available`.
    available: Count,
    /// How many events setup was asked for: `max_reqs`.
    pub(super) max_reqs: u32,
    /// The head that was written last, for the checker.
    head: Count,
    /// Somebody has begun to free it.
    teardown: core::sync::atomic::AtomicBool,
    lifetime: Lifetime,
    witness: Arc<Witness>,
}

impl KioCtx {
    /// A context for `max_reqs` events. It has no pages yet, and one user: the table.
    pub(super) fn new(max_reqs: u32, version: Version, witness: &Arc<Witness>) -> Arc<Self> {
        let lockdep = &witness.lockdep;
        let pages = pages_for(max_reqs);
        let nr_events = (pages * RING_SLOTS - 1) as u32;
        Arc::new(Self {
            version,
            users: AtomicU32::new(1),
            dead: AtomicBool::new(false),
            ring_pages: (0..pages).map(|_| Pointer::null()).collect(),
            nr_pages: AtomicUsize::new(0),
            nr_events,
            ring_lock: SleepingLock::new(LockClass::RingLock, lockdep),
            completion_lock: SpinLock::new(
                LockClass::CompletionLock,
                lockdep,
                Completion::default(),
            ),
            migrations: RawSeqSchedLock::new(),
            file: OnceLock::new(),
            user_id: AtomicU64::new(0),
            id: Count::new(0),
            // One slot stays empty: that is how a full ring differs from an empty one.
            available: Count::new(nr_events - 1),
            max_reqs,
            head: Count::new(0),
            teardown: core::sync::atomic::AtomicBool::new(false),
            lifetime: Lifetime::begin(&witness.contexts),
            witness: Arc::clone(witness),
        })
    }

    fn touch(&self) {
        if self.lifetime.has_ended() {
            self.report(Violation::FreedContextTouched);
        }
    }

    pub(super) fn report(&self, violation: Violation) {
        self.witness.report(violation);
    }

    pub(super) fn pause(&self) {
        self.witness.pause();
    }

    /// `percpu_ref_get`. The caller should know that there is a user already.
    pub(super) fn get(&self) {
        self.touch();
        self.users.fetch_add(1, AcqRel);
    }

    /// `percpu_ref_tryget`.
    pub(super) fn try_get(&self) -> bool {
        self.touch();
        const THE_TABLE: u32 = 1;
        get_unless_zero(&self.users, THE_TABLE)
    }

    /// `percpu_ref_put`. Returns what is left to do if that was the last user.
    #[must_use = "the last user has the context freed"]
    pub(super) fn put(self: &Arc<Self>) -> Option<LastUser> {
        self.touch();
        (self.users.fetch_sub(1, AcqRel) == 1).then(|| LastUser(Arc::clone(self)))
    }

    /// How many users there are.
    pub(super) fn users(&self) -> u32 {
        self.users.load(Acquire)
    }

    /// Marks the context as dead. Returns `false` if it already was.
    pub(super) fn kill(&self) -> bool {
        self.touch();
        !self.dead.swap(true, AcqRel)
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Acquire)
    }

    /// Returns `false` if somebody is already freeing it.
    pub(super) fn begin_teardown(&self) -> bool {
        !self.teardown.swap(true, AcqRel)
    }

    /// `kmem_cache_free`.
    pub(super) fn free(&self) {
        self.lifetime.end();
    }

    pub(super) fn ring_lock(&self) -> Result<SleepingGuard<'_>, Deadlock> {
        self.touch();
        let guard = self.ring_lock.lock()?;
        self.touch(); // it may have been freed while this thread slept
        Ok(guard)
    }

    pub(super) fn try_ring_lock(&self) -> Result<SleepingGuard<'_>, Errno> {
        self.touch();
        self.ring_lock.try_lock().ok_or(Errno::Again)
    }

    pub(super) fn completion_lock(&self) -> SpinGuard<'_, Completion> {
        self.touch();
        self.completion_lock.lock()
    }

    /// The lock of the version `Commit`.
    pub(super) fn migrations(&self) -> &RawSeqSchedLock<Park> {
        self.touch();
        &self.migrations
    }

    pub(super) fn set_file(&self, file: &Arc<Ring>) {
        self.file
            .set(Arc::clone(file))
            .expect("a context gets one file");
    }

    pub(super) fn file(&self) -> Option<&Arc<Ring>> {
        self.file.get()
    }

    pub(super) fn nr_pages(&self) -> usize {
        self.nr_pages.load(Relaxed)
    }

    pub(super) fn set_nr_pages(&self, pages: usize) {
        self.nr_pages.store(pages, Relaxed);
    }

    /// How many pages the ring should have.
    pub(super) fn pages_wanted(&self) -> usize {
        self.ring_pages.len()
    }

    /// `ring_pages[index]`.
    pub(super) fn ring_page(&self, index: usize) -> &Pointer<RingPage> {
        &self.ring_pages[index]
    }

    /// What `ring_pages[index]` points to. A null pointer is reported.
    pub(super) fn page(&self, index: usize) -> Result<Arc<RingPage>, Errno> {
        self.ring_page(index).load().ok_or_else(|| {
            self.report(Violation::NoPage);
            Errno::Invalid
        })
    }

    /// The page of the event at `position`, and its slot.
    pub(super) fn page_of_event(&self, position: u32) -> Result<(Arc<RingPage>, usize), Errno> {
        let slot = slot(position);
        Ok((self.page(slot / RING_SLOTS)?, slot))
    }

    pub(super) fn user_id(&self) -> u64 {
        self.user_id.load(Acquire)
    }

    pub(super) fn set_user_id(&self, user_id: u64) {
        self.user_id.store(user_id, Release);
    }

    pub(super) fn id(&self) -> u32 {
        self.id.load(Acquire)
    }

    pub(super) fn set_id(&self, id: u32) {
        self.id.store(id, Release);
    }

    /// The head that was written last.
    pub(super) fn head_written(&self) -> u32 {
        self.head.load(Acquire)
    }

    pub(super) fn set_head_written(&self, head: u32) {
        self.head.store(head, Release);
    }

    /// `get_reqs_available`: room in the ring for one more event.
    pub(super) fn reserve(&self) -> bool {
        let less = |available: u32| available.checked_sub(1);
        self.available.fetch_update(AcqRel, Acquire, less).is_ok()
    }

    /// `put_reqs_available`.
    pub(super) fn release(&self, events: u32) {
        self.available.fetch_add(events, AcqRel);
    }
}

/// How many pages a ring needs: for its events, its header, and the two slots that the kernel adds so that
/// a full ring differs from an empty one.
///
/// (The kernel also doubles the number of events, for its per-CPU counters.)
fn pages_for(events: u32) -> usize {
    (events as usize + 3).div_ceil(RING_SLOTS)
}

/// The last user of a context is gone, and the context has to be freed.
///
/// The kernel leaves that to a work queue. Here the caller does it once it holds no lock.
#[must_use = "the context is not freed otherwise"]
#[derive(Debug)]
pub(super) struct LastUser(pub(super) Arc<KioCtx>);
