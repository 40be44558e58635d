//! `Flights`: every thread that waits is woken.

use core::ops::Range;
use std::io;

use loom::sync::atomic::{AtomicBool, Ordering::SeqCst};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread::spawn;

use seqschedlock_pager::{Flights, Memory, Opened};

use crate::explore::explore;

/// A model of the kernel's queue of threads that wait in a fault.
#[derive(Debug)]
struct Queue {
    waiting: Mutex<usize>,
    woken: Condvar,
}

impl Queue {
    fn new() -> Self {
        Self {
            waiting: Mutex::new(0),
            woken: Condvar::new(),
        }
    }

    /// A thread touches the page, so its event can be read.
    fn enter(&self) {
        *self.waiting.lock().unwrap() += 1;
    }

    /// The thread waits until it is woken.
    fn wait(&self) {
        let mut waiting = self.waiting.lock().unwrap();
        while *waiting > 0 {
            waiting = self.woken.wait(waiting).unwrap();
        }
    }
}

impl Memory for Queue {
    type Bytes = ();

    fn copy(&self, _page: usize, (): &()) -> io::Result<()> {
        Ok(())
    }

    fn fill(&self, _page: usize, (): &()) -> io::Result<()> {
        Ok(())
    }

    fn open(&self, _page: usize) -> io::Result<Opened> {
        Ok(Opened::Mapped)
    }

    fn poison(&self, _page: usize) -> bool {
        true
    }

    fn take_out(&self, _pages: Range<usize>) {}

    fn wake(&self, _page: usize) {
        *self.waiting.lock().unwrap() = 0;
        self.woken.notify_all();
    }
}

/// A handler serves the page while another thread touches it. A second handler reads the event of that
/// thread, and serves it or leaves it to the first.
fn a_fault_beside_a_handler<S: Send + Sync + 'static>(new: fn() -> S, handle: fn(&S, &Queue)) {
    explore(move || {
        let shared = Arc::new((new(), Queue::new()));
        let first = spawn({
            let shared = Arc::clone(&shared);
            move || handle(&shared.0, &shared.1)
        });
        let second = spawn(move || {
            let (flights, queue) = &*shared;
            queue.enter();
            handle(flights, queue);
            queue.wait();
        });
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn every_thread_that_waits_is_woken() {
    a_fault_beside_a_handler(
        || Flights::new(1),
        |flights, queue| {
            if let Some(flight) = flights.begin(0) {
                flight.land(queue);
            }
        },
    );
}

/// An event that is read between the two is left to a wake-up that has happened already.
#[test]
#[should_panic(expected = "deadlock")]
fn waking_before_the_flag_is_cleared() {
    a_fault_beside_a_handler(
        || AtomicBool::new(false),
        |flag, queue| {
            if !flag.swap(true, SeqCst) {
                queue.wake(0);
                flag.swap(false, SeqCst);
            }
        },
    );
}
