//! What a request does when it runs: `ki_retry`.

use std::sync::Arc;

use super::queue::Queue;

/// A request that needs some conditions to be true, one after the other, and ends then.
///
/// Where one is not true yet, it queues its wait and returns `EIOCBRETRY`.
#[derive(Debug)]
pub struct Method<W> {
    /// How it makes sure that it misses no wake-up.
    pub looks: Looks,
    /// The conditions, in order.
    pub waits: Vec<Arc<Queue<W>>>,
    /// So many times it returns `EIOCBRETRY` first without having queued a wait, as after a short read.
    pub short: usize,
    /// How it ends.
    pub end: End,
}

/// How a method makes sure that it misses no wake-up. Both are right, and versions differ in which of
/// them they are right for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// It looks with the lock of the queue, and queues its wait if it must. It takes the next run as the
    /// news that the condition is true.
    Once,
    /// It queues its wait, and looks again without the lock: `prepare_to_wait`, `finish_wait`. The next
    /// run looks again, too.
    Twice,
}

/// How a method ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this result.
    Done(i64),
    /// Somebody else will complete the request: `EIOCBQUEUED`.
    Queued,
}

impl<W> Method<W> {
    /// One that waits for these, and then ends with 0.
    #[must_use]
    pub fn new(looks: Looks, waits: &[Arc<Queue<W>>]) -> Self {
        Self {
            looks,
            waits: waits.to_vec(),
            short: 0,
            end: End::Done(0),
        }
    }
}
