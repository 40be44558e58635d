//! A request and its context: `struct kiocb`, `struct kioctx`.

use std::collections::VecDeque;
use std::sync::Arc;

use core::fmt;
// From `core` also under loom: these are only used with `ctx_lock` held, or by the one retry that runs.
use core::sync::atomic::{
    AtomicBool as LockedBool, AtomicU8, AtomicU32, AtomicUsize, Ordering::Relaxed,
};

use super::method::Method;
use super::queue::{Queue, Waiters};
use super::task::Task;
use super::version::Version;
use super::violation::Violation;
use super::witness::Witness;
use crate::aio::errno::Errno;
use crate::aio::lifetime::Lifetime;
use crate::aio::lockdep::LockClass;
use crate::aio::locks::{SpinGuard, SpinLock};
use crate::sync::atomic::{AtomicBool, AtomicU32 as RunCount, Ordering::AcqRel, Ordering::Acquire};
use crate::sync::{look, set};

/// A queue on which iocbs wait.
pub type WaitQueue = Queue<Kiocb>;

/// What an iocb does when it runs.
pub type RetryMethod = Method<Kiocb>;

/// Where an iocb is with respect to the run list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Entry {
    /// Not on the run list, and a waker may put it there.
    Idle,
    /// On the run list.
    Queued,
    /// Not on the run list, and nobody may put it there, because it runs.
    Running,
}

/// A request: `struct kiocb`.
pub struct Kiocb {
    number: u64,
    pub(super) context: Arc<Kioctx>,
    pub(super) method: Method<Self>,
    /// `KIF_KICKED`.
    kicked: AtomicBool,
    /// `KIF_CANCELLED`.
    cancelled: AtomicBool,
    /// `!list_empty(&ki_wait.task_list)`. Changes need the lock of the queue; looking does not.
    linked: AtomicBool,
    /// `ki_run_list`, with `ctx_lock`.
    entry: AtomicU8,
    /// `ki_users`, with `ctx_lock`.
    users: AtomicU32,
    /// With `ctx_lock`.
    completed: LockedBool,
    /// Somebody else will complete it: `EIOCBQUEUED`.
    queued_elsewhere: LockedBool,
    /// `ki_retried`, with `ctx_lock`.
    retried: AtomicU32,
    /// How many retries are running.
    running: RunCount,
    /// How far the method has come.
    pub(super) progress: AtomicUsize,
    /// The task that waits for a synchronous one: `ki_obj.tsk`.
    task: Option<Task>,
    lifetime: Lifetime,
}

impl Kiocb {
    pub(super) fn new(
        number: u64,
        context: &Arc<Kioctx>,
        method: Method<Self>,
        task: Option<Task>,
    ) -> Arc<Self> {
        Arc::new(Self {
            number,
            context: Arc::clone(context),
            method,
            kicked: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            linked: AtomicBool::new(false),
            entry: AtomicU8::new(Entry::Idle as u8),
            // One for the submitter, one for the completion.
            users: AtomicU32::new(2),
            completed: LockedBool::new(false),
            queued_elsewhere: LockedBool::new(false),
            retried: AtomicU32::new(0),
            running: RunCount::new(0),
            progress: AtomicUsize::new(0),
            task,
            lifetime: Lifetime::begin(&context.witness.iocbs),
        })
    }

    /// Its number: requests of a context are counted from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether its event is in the ring.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.completed.load(Relaxed)
    }

    pub(super) fn touch(&self) {
        if self.lifetime.has_ended() {
            self.context.report(Violation::FreedIocbTouched);
        }
    }

    pub(super) fn free(&self) {
        self.lifetime.end();
    }

    /// `is_sync_kiocb`.
    pub(super) fn is_sync(&self) -> bool {
        self.task.is_some()
    }

    /// The task to wake, if it is a synchronous one.
    pub(super) fn task(&self) -> Option<Task> {
        self.touch();
        self.task.clone()
    }

    /// `kiocbTryKick`. Returns whether it had been kicked before.
    pub(super) fn try_kick(&self) -> bool {
        self.touch();
        self.kicked.swap(true, AcqRel)
    }

    /// `kiocbSetKicked`, `kiocbClearKicked`.
    pub(super) fn set_kicked(&self, kicked: bool) {
        self.touch();
        set(&self.kicked, kicked);
    }

    /// `kiocbIsKicked`.
    pub(super) fn is_kicked(&self) -> bool {
        self.touch();
        look(&self.kicked, Acquire)
    }

    /// A retry begins.
    pub(super) fn begin_retry(&self) {
        if self.running.fetch_add(1, AcqRel) != 0 {
            self.context.report(Violation::TwoRetries);
        }
    }

    /// It has returned.
    pub(super) fn end_retry(&self) {
        self.running.fetch_sub(1, AcqRel);
    }

    pub(super) fn set_cancelled(&self, _held: &Locked<'_>) {
        set(&self.cancelled, true);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        look(&self.cancelled, Acquire)
    }

    /// Whether a wait of it is queued. Without the lock of the queue the answer may be old.
    pub(super) fn is_linked(&self) -> bool {
        self.touch();
        look(&self.linked, Acquire)
    }

    /// Queues its wait: `__add_wait_queue`.
    pub(super) fn link(self: &Arc<Self>, waiters: &mut Waiters<'_, Self>) {
        waiters.push(Arc::clone(self));
        set(&self.linked, true);
    }

    /// Deletes its wait: `list_del_init`.
    pub(super) fn unlink(&self, waiters: &mut Waiters<'_, Self>) {
        self.touch();
        waiters.retain(|waiter| !core::ptr::eq(&raw const **waiter, self));
        set(&self.linked, false);
    }

    /// Puts it on the run list if that is allowed now: `queue_kicked_iocb`. Returns whether it did.
    pub(super) fn queue(self: &Arc<Self>, held: &mut Locked<'_>) -> bool {
        self.touch();
        let may = self.entry(held) == Entry::Idle;
        if may {
            if held.run_list.iter().any(|other| Arc::ptr_eq(other, self)) {
                self.context.report(Violation::QueuedTwice);
            }
            self.set_entry(Entry::Queued, held);
            held.run_list.push_back(Arc::clone(self));
        }
        may
    }

    pub(super) fn entry(&self, _held: &Locked<'_>) -> Entry {
        match self.entry.load(Relaxed) {
            queued if queued == Entry::Queued as u8 => Entry::Queued,
            running if running == Entry::Running as u8 => Entry::Running,
            _ => Entry::Idle,
        }
    }

    pub(super) fn set_entry(&self, entry: Entry, _held: &Locked<'_>) {
        self.entry.store(entry as u8, Relaxed);
    }

    /// Counts a retry. Returns whether it is one too many.
    pub(super) fn too_many_retries(&self, _held: &Locked<'_>) -> bool {
        let retried = self.retried.fetch_add(1, Relaxed);
        let limit = self.context.version.retry_limit;
        limit.is_some_and(|limit| retried > limit)
    }

    /// Whether it is in a queue whose condition is not true yet.
    pub(super) fn waits(&self) -> bool {
        let is_here = |queue: &&Arc<WaitQueue>| {
            let mut waiters = queue.lock().clone().into_iter();
            waiters.any(|waiter| core::ptr::eq(&raw const *waiter, self))
        };
        let mut here = self.method.waits.iter().filter(is_here);
        here.any(|queue| !queue.condition())
    }

    pub(super) fn set_queued_elsewhere(&self) {
        self.queued_elsewhere.store(true, Relaxed);
    }

    pub(super) fn is_queued_elsewhere(&self) -> bool {
        self.queued_elsewhere.load(Relaxed)
    }

    pub(super) fn users(&self, _held: &Locked<'_>) -> u32 {
        self.users.load(Relaxed)
    }

    pub(super) fn get(&self, _held: &Locked<'_>) {
        self.touch();
        self.users.fetch_add(1, Relaxed);
    }

    /// `__aio_put_req`.
    pub(super) fn put(&self, held: &mut Locked<'_>) {
        self.touch();
        match self.users.load(Relaxed) {
            0 => {} // it has been freed, which has been reported
            1 => {
                self.users.store(0, Relaxed);
                held.active
                    .retain(|other| !core::ptr::eq(&raw const **other, self));
                self.free();
            }
            more => self.users.store(more - 1, Relaxed),
        }
    }

    /// Ends the request: `aio_complete`.
    pub(super) fn complete(&self, result: i64) {
        self.touch();
        let mut held = self.context.lock();
        if self.completed.swap(true, Relaxed) {
            self.context.report(Violation::CompletedTwice);
        }
        if self.entry(&held) == Entry::Queued {
            held.run_list
                .retain(|other| !core::ptr::eq(&raw const **other, self));
        }
        held.events.push((self.number, result));
        self.put(&mut held);
    }
}

impl fmt::Debug for Kiocb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kiocb")
            .field("number", &self.number)
            .field("completed", &self.is_completed())
            .finish_non_exhaustive()
    }
}

/// `ctx_lock`, and what it protects.
pub(super) type Locked<'a> = SpinGuard<'a, State>;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) run_list: VecDeque<Arc<Kiocb>>,
    pub(super) active: Vec<Arc<Kiocb>>,
    pub(super) events: Vec<(u64, i64)>,
    /// The number of the last request.
    pub(super) requests: u64,
}

/// A context with requests that are retried: `struct kioctx`.
#[derive(Debug)]
pub struct Kioctx {
    pub(super) version: Version,
    between_steps: fn(),
    state: SpinLock<State>,
    /// Whether work was started and has not begun. For the checker.
    work: LockedBool,
    lifetime: Lifetime,
    pub(super) witness: Witness,
}

impl Kioctx {
    /// A context without requests.
    #[must_use]
    pub fn new(version: Version) -> Arc<Self> {
        Self::with_pauses(version, || {})
    }

    /// The same, and every thread that wakes or runs a request calls `between_steps` at the places where
    /// versions have their races. A program can interrupt a thread there, to make rare races frequent.
    #[must_use]
    pub fn with_pauses(version: Version, between_steps: fn()) -> Arc<Self> {
        let witness = Witness::default();
        Arc::new(Self {
            version,
            between_steps,
            state: SpinLock::new(LockClass::CtxLock, &witness.lockdep, State::default()),
            work: LockedBool::new(false),
            lifetime: Lifetime::begin(&witness.contexts),
            witness,
        })
    }

    /// A queue on which its requests may wait.
    #[must_use]
    pub fn wait_queue(&self) -> Arc<WaitQueue> {
        Queue::with_lockdep(&self.witness.lockdep)
    }

    pub(super) fn report(&self, violation: Violation) {
        self.witness.findings.report(violation);
    }

    pub(super) fn touch(&self) {
        if self.lifetime.has_ended() {
            self.report(Violation::FreedContextTouched);
        }
    }

    /// `ctx_lock`.
    pub(super) fn lock(&self) -> Locked<'_> {
        self.touch();
        self.state.lock()
    }

    /// The same for the checker, which may look at a context that has been freed.
    pub(super) fn lock_freed(&self) -> Locked<'_> {
        self.state.lock()
    }

    pub(super) fn pause(&self) {
        (self.between_steps)();
    }

    /// `aio_queue_work`: somebody will run what is on the run list.
    pub(super) fn start_work(&self) {
        self.touch();
        self.work.store(true, Relaxed);
    }

    /// The work begins.
    pub(super) fn begin_work(&self) {
        self.work.store(false, Relaxed);
    }

    pub(super) fn is_work_started(&self) -> bool {
        self.work.load(Relaxed)
    }

    /// Takes the events so far: the numbers of requests and their results, in the order of completion.
    #[must_use]
    pub fn take_events(&self) -> Vec<(u64, i64)> {
        core::mem::take(&mut self.lock().events)
    }

    /// Ends the context: `io_destroy`.
    ///
    /// # Errors
    ///
    /// [`Errno::Busy`] if a request is under way. The kernel waits for it.
    pub fn io_destroy(&self) -> Result<(), Errno> {
        let held = self.lock();
        if !held.active.is_empty() {
            return Err(Errno::Busy);
        }
        drop(held);
        self.lifetime.end();
        Ok(())
    }
}
