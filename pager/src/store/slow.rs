use core::time::Duration;
use std::io;
use std::thread;

use super::Store;
use crate::memory::PAGE_SIZE;

/// A store with latency, like one behind a network.
///
/// By default Linux may let a thread sleep up to 50 µs too long. Where that matters, set the timer slack
/// (`PR_SET_TIMERSLACK`) of the thread that creates the pager; its handlers inherit it.
#[derive(Debug)]
pub struct Slow<S> {
    store: S,
    latency: Duration,
}

impl<S: Store> Slow<S> {
    /// As `store`, but every load reads the page first and then sleeps for `latency`, so the page it
    /// returns is that old.
    #[must_use]
    pub fn new(store: S, latency: Duration) -> Self {
        Self { store, latency }
    }
}

impl<S: Store> Store for Slow<S> {
    fn load(&self, page: usize, into: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        let loaded = self.store.load(page, into);
        thread::sleep(self.latency);
        loaded
    }
}
