//! A wait queue: `wait_queue_head_t`.

use std::sync::Arc;

use crate::aio::lockdep::{LockClass, Lockdep};
use crate::aio::locks::{SpinGuard, SpinLock};
use crate::sync::atomic::{AtomicBool, Ordering::Acquire};
use crate::sync::{look, set};

/// A condition, and everybody who waits for it.
#[derive(Debug)]
pub struct Queue<W> {
    waiters: SpinLock<Vec<Arc<W>>>,
    condition: AtomicBool,
}

/// The lock of a queue, and the entries.
pub(super) type Waiters<'a, W> = SpinGuard<'a, Vec<Arc<W>>>;

impl<W> Queue<W> {
    pub(super) fn with_lockdep(lockdep: &Arc<Lockdep>) -> Arc<Self> {
        Arc::new(Self {
            waiters: SpinLock::new(LockClass::QueueLock, lockdep, Vec::new()),
            condition: AtomicBool::new(false),
        })
    }

    pub(super) fn lock(&self) -> Waiters<'_, W> {
        self.waiters.lock()
    }

    /// Whether the condition is true. It becomes true while the lock is held, and stays true.
    #[must_use]
    pub fn condition(&self) -> bool {
        look(&self.condition, Acquire)
    }

    /// Makes the condition true.
    pub(super) fn fulfil(&self, _held: &Waiters<'_, W>) {
        set(&self.condition, true);
    }
}
