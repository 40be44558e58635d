use core::fmt;
use core::future::poll_fn;
use core::task::Poll;

use super::Internal;
use super::queue::{Place, Queue, Waiter, wake_each};
use super::{Wait, Writers};
use crate::sync::{Backoff, SPINS_BEFORE_BLOCKING, wait_init};

/// Readers spin for a few microseconds, then block until the last writer out wakes them. Tasks await instead.
///
/// Right for sections that sleep. A lock with this strategy is 16 bytes on 64-bit targets. A writer with no
/// waiting readers pays for testing one bit of a value it already has. Needs an allocator: the first reader that
/// blocks allocates a queue, and each reader that blocks takes an entry in it.
///
/// Without `std`, and on WebAssembly, threads cannot be parked: readers can still await, but a
/// blocking wait spins, and there are no deadlines.
///
/// # What a writer pays
///
/// Beginning a section never waits. The last writer out wakes *every* reader in the queue, and pays for each.
/// (A writer of a `SeqSchedCell` that ends its turn wakes only one of the waiting writers.)
///
/// The wakers of tasks run on the writer's thread, while no lock is held. A waker may poll or drop its task inside
/// `wake`. If one panics, the others are still woken. Then the panic continues in the writer, unless that thread
/// is already unwinding. (Without `std` it continues at once, and the readers after it may not be woken.)
///
/// Turns of a cell or a gate pass from one writer to the next. If wakers poll or drop their task on the spot, each of
/// these calls is inside the one before: thousands of such writers in line take as much stack.
///
/// The queue has a lock of its own, held for a few instructions. Without `std` that lock spins: in that case, do
/// not end sections in interrupt handlers, or in tasks with a higher priority than the waiting ones.
pub struct Park {
    pub(super) queue: Queue,
}

impl Wait for Park {
    wait_init! { define Park { queue: Queue::new() } }

    fn wait(&self, writers: &Writers<'_>) {
        if !spin_briefly(writers, || false) {
            self.block(writers);
        }
    }

    #[cold]
    fn wake(&self) {
        let Some(mut lines) = self.queue.lock_if_made() else {
            return;
        };
        let readers = lines.readers.all();
        drop(lines);
        wake_each(readers);
    }

    fn lines_writers_up(&self, _: Internal) -> Option<&Park> {
        Some(self)
    }
}

impl Park {
    /// Awaits a wake-up, unless no writer is left to give it.
    ///
    /// Dropping the future leaves nothing behind in the queue. The request may stay in the word: then the last
    /// writer out finds nobody to wake, once.
    pub(crate) async fn wake_up(&self, writers: &Writers<'_>) {
        let mut place: Option<Place<'_>> = None;
        poll_fn(|context| {
            let waiter = Waiter::task(context);
            let woken = match &mut place {
                Some(place) => place.woken(Some(waiter)),
                // First the queue, then the request: the writer that sees the request finds the entry.
                None => {
                    place = Some(Place::enter(&self.queue, waiter));
                    !writers.request_wake()
                }
            };
            if woken {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

/// Where threads can block.
#[cfg(all(feature = "std", not(target_family = "wasm")))]
mod threads {
    use std::time::Instant;

    use super::*;
    use crate::sync::{current, park, park_until, passed};

    impl Park {
        pub(super) fn block(&self, writers: &Writers<'_>) {
            self.block_until(writers, None);
        }

        /// As [`Wait::wait`], but no longer than until `deadline`; `false` if the deadline ended it.
        pub(crate) fn wait_until(&self, writers: &Writers<'_>, deadline: Instant) -> bool {
            if passed(deadline) {
                return false; // before it enters the queue and causes work for a writer
            }
            spin_briefly(writers, || passed(deadline)) || self.block_until(writers, Some(deadline))
        }

        /// Blocks until it is woken or no writer is left to wake it; `false` if `deadline` ended it.
        fn block_until(&self, writers: &Writers<'_>, deadline: Option<Instant>) -> bool {
            // First the queue, then the request: the writer that sees the request finds the entry.
            let mut place = Place::enter(&self.queue, Waiter::Thread(current()));
            if !writers.request_wake() {
                return true;
            }
            while !place.woken(None) {
                match deadline {
                    None => park(),
                    Some(deadline) if park_until(deadline) => return place.woken(None),
                    Some(_) => {}
                }
            }
            true
        }
    }
}

/// Where threads cannot block: the caller looks again, and spins again.
#[cfg(not(all(feature = "std", not(target_family = "wasm"))))]
impl Park {
    fn block(&self, _writers: &Writers<'_>) {}
}

/// Spins for a few microseconds at most; returns whether the writers have left.
///
/// It does not yield the processor. On a busy machine, yielding takes many times as long as to block and be
/// woken, because the thread that gets the processor keeps it for a time slice.
pub(super) fn spin_briefly(writers: &Writers<'_>, over: impl Fn() -> bool) -> bool {
    let backoff = Backoff::new();
    #[allow(clippy::reversed_empty_ranges, reason = "a model does not spin")]
    for _ in 0..SPINS_BEFORE_BLOCKING {
        if !writers.running() {
            return true;
        }
        if over() {
            return false;
        }
        backoff.spin();
    }
    !writers.running()
}

impl Default for Park {
    fn default() -> Self {
        wait_init!(use Self)
    }
}

/// Prints how many threads and tasks wait. Never blocks.
impl fmt::Debug for Park {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Park")
            .field("waiting", &self.queue)
            .finish()
    }
}
