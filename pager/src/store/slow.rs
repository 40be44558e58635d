use core::time::Duration;
use std::io;
use std::thread;

use super::Store;
use crate::memory::PAGE_SIZE;

/// A store that takes its time, as a network does.
///
/// Linux lets a sleep be fifty microseconds late. Where that matters, set the timer slack of the thread that
/// makes the pager (`PR_SET_TIMERSLACK`): its handlers inherit it.
#[derive(Debug)]
pub struct Slow<S> {
    store: S,
    latency: Duration,
}

impl<S: Store> Slow<S> {
    /// As `store`, but every load sleeps for `latency` when it has its bytes: what it returns is that old.
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
