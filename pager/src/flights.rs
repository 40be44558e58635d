//! One handler at a time for a page.

use crate::memory::Memory;
use crate::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// For each page, whether a handler is serving it.
///
/// Two threads that touch the same page cause two events. The second event needs no load of its own,
/// because the first handler wakes every thread that waits for the page. This saves loads, and
/// [`Closed`](crate::Closed) is only correct with it.
#[derive(Debug)]
pub struct Flights {
    pages: Box<[AtomicBool]>,
}

/// A handler that is serving a page.
#[derive(Debug)]
#[must_use = "the threads that wait for the page are woken when this lands"]
pub struct Flight<'a> {
    page: usize,
    running: &'a AtomicBool,
}

impl Flights {
    /// Flights for this many pages.
    #[must_use]
    pub fn new(pages: usize) -> Self {
        Self {
            pages: (0..pages).map(|_| AtomicBool::new(false)).collect(),
        }
    }

    /// Begins to serve a page, unless another handler is serving it.
    pub fn begin(&self, page: usize) -> Option<Flight<'_>> {
        let running = &self.pages[page];
        (!running.swap(true, SeqCst)).then_some(Flight { page, running })
    }
}

impl Flight<'_> {
    /// Ends the flight: wakes every thread that waits for the page.
    ///
    /// It clears the flag *before* it wakes. If another handler drops an event because the flag is set, the
    /// thread behind that event is in the kernel's queue already, and this wake-up comes later. In the
    /// other order a handler could drop an event between the wake-up and the clearing, and that thread
    /// would wait for ever.
    ///
    /// (The exchanges are sequentially consistent so that the other handler's look at the flag stays behind the
    /// entry in the queue, and the kernel's look at the queue stays behind the clearing.)
    pub fn land(self, memory: &impl Memory) {
        self.running.swap(false, SeqCst);
        memory.wake(self.page);
    }
}
