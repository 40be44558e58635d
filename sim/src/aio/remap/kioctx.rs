//! A context: its id, where its ring is, how many use it.

use core::fmt;
use std::sync::Arc;

use seqschedlock::{Park, RawSeqSchedLock};

use super::census::Census;
use super::ring_file::RingFile;
use super::version::Steps;
use crate::aio::errno::Errno;
use crate::locks::lock;
use crate::sync::Mutex;
use crate::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// `struct kioctx`.
///
/// The mover writes `user_id` and `mmap_base`, and others read them. Release pairs with acquire: a thread that
/// reads the new place also sees what was done before it was written.
pub(super) struct KioCtx {
    pub(super) file: Arc<RingFile>,
    /// Its place in the table.
    pub(super) index: u32,
    /// What it counts in `aio_nr`.
    pub(super) requests: u32,
    user_id: AtomicU64,
    mmap_base: AtomicU64,
    pub(super) mmap_size: u64,
    dead: AtomicBool,
    /// One for the table, and one for each [`KioCtxRef`].
    users: AtomicUsize,
    /// Mover and destroyer meet here under [`Version::Commit`](super::Version::Commit).
    pub(super) lock: RawSeqSchedLock<Park>,
    /// Requests that wait for something, by the data of their event.
    in_flight: Mutex<Vec<u64>>,
    census: Arc<Census>,
}

impl KioCtx {
    /// One that lies at `at` and has its first reference.
    pub(super) fn new(
        file: Arc<RingFile>,
        index: u32,
        requests: u32,
        at: u64,
        census: Arc<Census>,
    ) -> Arc<Self> {
        census.contexts.add(1);
        file.history.moved_to.store(at, Relaxed);
        let ctx = Arc::new(Self {
            index,
            requests,
            user_id: AtomicU64::new(at),
            mmap_base: AtomicU64::new(at),
            mmap_size: file.pages * super::PAGE_SIZE,
            dead: AtomicBool::new(false),
            users: AtomicUsize::new(1),
            lock: RawSeqSchedLock::new(),
            in_flight: Mutex::new(Vec::new()),
            census,
            file: Arc::clone(&file),
        });
        file.private_data
            .set(Arc::downgrade(&ctx))
            .expect("a ring has one context");
        ctx
    }

    pub(super) fn user_id(&self) -> u64 {
        self.user_id.load(Acquire)
    }

    pub(super) fn mmap_base(&self) -> u64 {
        self.mmap_base.load(Acquire)
    }

    pub(super) fn set_place(&self, at: u64, steps: &Steps) {
        self.user_id.store(at, Release);
        if steps.hook_sets_mmap_base {
            self.mmap_base.store(at, Release);
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead.load(Acquire)
    }

    /// Marks it as dead; returns whether it was alive.
    pub(super) fn die(&self, steps: &Steps) -> bool {
        if steps.dead_is_exchanged {
            return !self.dead.swap(true, AcqRel);
        }
        let alive = !self.is_dead();
        self.dead.store(true, Release);
        alive
    }

    /// Takes a reference, unless the last one is gone.
    pub(super) fn get(&self, steps: &Steps) -> bool {
        if steps.lookup_tries_to_get {
            let taken = self
                .users
                .fetch_update(Acquire, Acquire, |users| (users != 0).then(|| users + 1));
            return taken.is_ok();
        }
        if self.users.fetch_add(1, Acquire) == 0 {
            self.census.freed_contexts_touched.add(1);
        }
        true
    }

    /// Gives a reference back. The last one frees the context.
    pub(super) fn put(&self) {
        let before = self.users.fetch_sub(1, AcqRel);
        let freed_again = match before {
            0 => true,
            1 => self.file.history.freed.swap(true, Relaxed),
            _ => return,
        };
        if freed_again {
            self.census.freed_contexts_touched.add(1);
        } else {
            self.census.contexts.subtract(1);
        }
    }

    pub(super) fn users(&self) -> usize {
        self.users.load(Acquire)
    }

    /// Puts a request under way that waits for something.
    pub(super) fn wait_for(&self, data: u64) {
        lock(&self.in_flight).push(data);
    }

    /// Ends such a request, if there is one; the caller writes its event.
    pub(super) fn take_in_flight(&self, data: u64) -> bool {
        let mut in_flight = lock(&self.in_flight);
        let place = in_flight.iter().position(|waiting| *waiting == data);
        place.map(|place| in_flight.swap_remove(place)).is_some()
    }

    /// Cancels them all. Nobody can read their events any more.
    pub(super) fn cancel_all(&self) {
        lock(&self.in_flight).clear();
    }
}

impl fmt::Debug for KioCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KioCtx")
            .field("ring", &self.file.inode)
            .field("index", &self.index)
            .field("user_id", &self.user_id)
            .field("mmap_base", &self.mmap_base)
            .field("dead", &self.dead)
            .field("users", &self.users)
            .finish_non_exhaustive()
    }
}

/// A reference to a context: what a system call holds between its lookup and its end.
#[derive(Debug)]
pub struct KioCtxRef {
    pub(super) ctx: Arc<KioCtx>,
}

impl KioCtxRef {
    /// With a reference that the caller has taken already.
    pub(super) fn new(ctx: Arc<KioCtx>) -> Self {
        Self { ctx }
    }

    /// What tells its ring from others.
    #[must_use]
    pub fn ring(&self) -> u64 {
        self.ctx.file.inode
    }

    /// What is left of `io_getevents` once the context is found: takes at most `most` events, without waiting.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the context has been destroyed meanwhile.
    pub fn read_events(&self, most: usize) -> Result<Vec<u64>, Errno> {
        if self.ctx.is_dead() {
            return Err(Errno::Invalid);
        }
        Ok(self.ctx.file.read(most))
    }
}

impl Drop for KioCtxRef {
    fn drop(&mut self) {
        self.ctx.put();
    }
}
