//! One handler at a time for a page.

use crate::memory::Memory;
use crate::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// For each page, whether a handler is at work on it.
///
/// Two threads that touch one page make two events. The second needs no handler of its own: the first one's
/// wake-up is for all who wait for the page. That saves loads, and [`Closed`](crate::Closed) is only right
/// with it.
#[derive(Debug)]
pub struct Flights {
    pages: Box<[AtomicBool]>,
}

/// A handler at work on a page.
#[derive(Debug)]
#[must_use = "those who wait for the page are woken when this lands"]
pub struct Flight<'a> {
    page: usize,
    running: &'a AtomicBool,
}

impl Flights {
    /// For so many pages.
    #[must_use]
    pub fn new(pages: usize) -> Self {
        Self {
            pages: (0..pages).map(|_| AtomicBool::new(false)).collect(),
        }
    }

    /// Begins to serve a page, unless another handler does.
    pub fn begin(&self, page: usize) -> Option<Flight<'_>> {
        let running = &self.pages[page];
        (!running.swap(true, SeqCst)).then_some(Flight { page, running })
    }
}

impl Flight<'_> {
    /// It is served: wakes all who wait for it.
    ///
    /// The flag is cleared *before* the wake-up. An event that was left to this handler was read while the flag was
    /// set, so its thread was in the kernel's queue before the wake-up, and is woken. In the other order an event
    /// can be left to a wake-up that is over, and its thread waits for ever.
    ///
    /// (The kernel's queue has a lock of its own. That the exchanges are sequentially consistent keeps the look at
    /// the flag behind the entry in the queue, and the look at the queue behind the flag.)
    pub fn land(self, memory: &impl Memory) {
        self.running.swap(false, SeqCst);
        memory.wake(self.page);
    }
}
