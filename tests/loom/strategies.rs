//! Waiting strategies for the tests, each to show what `Park` would hide.

use loom::cell::UnsafeCell;
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};
use loom::thread::{self, Thread};
use seqschedlock::{Wait, Writers};

/// A strategy without a fence of its own, so that all its ordering comes from the request: the one
/// that waits leaves its handle in a plain cell, and loom reports a waker that looks too early.
pub struct Doorbell {
    registered: AtomicBool,
    waiter: UnsafeCell<Option<Thread>>,
}

// SAFETY: the cell is written once, by the only waiter, before it asks to be woken, and read by
// wakers that answer. That this is enough is what the model checks.
unsafe impl Sync for Doorbell {}
// SAFETY: a thread handle may be sent.
unsafe impl Send for Doorbell {}

impl Wait for Doorbell {
    fn init() -> Self {
        Doorbell {
            registered: AtomicBool::new(false),
            waiter: UnsafeCell::new(None),
        }
    }

    fn wait(&self, writers: &Writers<'_>) {
        if !self.registered.load(Relaxed) {
            // SAFETY: only this thread writes, and no waker looks before it was asked.
            self.waiter
                .with_mut(|waiter| unsafe { *waiter = Some(thread::current()) });
            self.registered.store(true, Relaxed);
        }
        if writers.request_wake() {
            thread::park();
        }
    }

    fn wake(&self) {
        // SAFETY: the waiter has asked, so it has written, and it does not write again.
        self.waiter
            .with(|waiter| unsafe { (*waiter).as_ref() }.unwrap().unpark());
    }
}

/// A strategy that orders its own queue, so that the request need not order anything.
pub struct Queue(Mutex<Vec<Thread>>);

impl Wait for Queue {
    fn init() -> Self {
        Queue(Mutex::default())
    }

    fn wait(&self, writers: &Writers<'_>) {
        self.0.lock().unwrap().push(thread::current());
        if writers.request_wake() {
            thread::park();
        }
    }

    fn wake(&self) {
        for waiter in self.0.lock().unwrap().drain(..) {
            waiter.unpark();
        }
    }
}
