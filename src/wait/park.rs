use core::fmt;

use event_listener::{Event, EventListener};

use super::{Wait, Writers};
use crate::sync::{Backoff, wait_init};

/// Readers spin briefly, then block until the last writer out wakes them, or are awaited.
///
/// Right for sections that sleep. A lock with it is 16 bytes on 64-bit targets; a writer nobody
/// waits for pays one test of a bit in a value it already holds. Needs an allocator: a queue is
/// made for the first reader that blocks, and an entry in it for each one that does.
///
/// Without `std`, and on WebAssembly, there are no threads to park: readers can still be awaited, but a
/// blocking wait spins, and there are no deadlines.
///
/// # What a writer pays
///
/// Beginning a section never waits. Ending the last one that a reader waits for wakes *every* reader in
/// the queue, and takes the queue's own lock for it: the writer pays for each of them, and meets those who
/// are just registering. Without `std` that lock spins: there do not end sections in interrupt handlers, or
/// in tasks of a higher priority than those that wait, unless event-listener's feature `critical-section`
/// is on. (Writers of a `SeqSchedCell` that wait for their turn are woken likewise, all of them at the end of
/// each: for many that write at once, a mutex is better.)
pub struct Park {
    readers: Event,
}

impl Wait for Park {
    wait_init! { define Park { readers: Event::new() } }

    fn wait(&self, writers: &Writers<'_>) {
        if !spin_briefly(writers) {
            self.block(writers);
        }
    }

    #[cold]
    fn wake(&self) {
        self.readers.notify(usize::MAX);
    }
}

impl Park {
    /// A wake-up to wait for, or `None` if no writer is left to give it.
    ///
    /// Dropping it unused leaves nothing behind in the queue. The request may stay in the word: the
    /// last writer out then wakes nobody, once.
    pub(crate) fn wake_up(&self, writers: &Writers<'_>) -> Option<EventListener> {
        // First the queue, then the request: the writer that sees the request finds the entry.
        let entry = self.readers.listen();
        writers.request_wake().then_some(entry)
    }
}

/// Where threads can block.
#[cfg(all(feature = "std", not(target_family = "wasm")))]
impl Park {
    fn block(&self, writers: &Writers<'_>) {
        use event_listener::Listener as _;
        if let Some(wake_up) = self.wake_up(writers) {
            wake_up.wait();
        }
    }

    /// As [`Wait::wait`], but not beyond `deadline`; `false` if that is what ended it.
    pub(crate) fn wait_until(&self, writers: &Writers<'_>, deadline: std::time::Instant) -> bool {
        use crate::sync::{passed, wait_deadline};
        if passed(deadline) {
            return false; // without a place in the queue, and without work for a writer
        }
        if spin_briefly(writers) {
            return true;
        }
        match self.wake_up(writers) {
            Some(wake_up) => wait_deadline(wake_up, deadline),
            None => true,
        }
    }
}

/// Where they cannot: the caller looks again, and spins again.
#[cfg(not(all(feature = "std", not(target_family = "wasm"))))]
impl Park {
    fn block(&self, _writers: &Writers<'_>) {}
}

/// Spins for some microseconds at most; tells whether the writers left meanwhile.
fn spin_briefly(writers: &Writers<'_>) -> bool {
    let backoff = Backoff::new();
    while writers.running() {
        if backoff.is_completed() {
            return false;
        }
        backoff.snooze();
    }
    true
}

impl Default for Park {
    fn default() -> Self {
        wait_init!(use Self)
    }
}

/// Prints how many readers wait. Never blocks.
impl fmt::Debug for Park {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Park").field(&self.readers).finish()
    }
}
