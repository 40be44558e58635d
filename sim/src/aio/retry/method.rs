//! What a request does when it runs: `ki_retry`.

use std::sync::Arc;

use super::queue::Queue;

/// A request that ends when some conditions have come true, one after the other.
///
/// If one is not true yet, it queues its wait and returns `EIOCBRETRY`.
#[derive(Debug)]
pub struct Method<W> {
    /// How it makes sure that it misses no wake-up.
    pub looks: Looks,
    /// The conditions, in order.
    pub waits: Vec<Arc<Queue<W>>>,
    /// How often it first returns `EIOCBRETRY` without having queued a wait, as after a short read.
    pub short: usize,
    /// How it ends.
    pub end: End,
}

/// How a method makes sure that it misses no wake-up. Both ways are correct, but not every version is
/// correct for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// It looks while it holds the lock of the queue, and queues its wait if necessary. When it runs again,
    /// it takes the condition for true.
    Once,
    /// It queues its wait and then looks again, without the lock: `prepare_to_wait`, `finish_wait`. When it
    /// runs again, it looks again.
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
    /// A method that waits for these, and then ends with 0.
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
