//! No wake-up is lost. A reader that blocks for ever is a deadlock, which loom reports by itself.

use std::time::Instant;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use loom::sync::{Arc, Mutex};
use loom::thread::{self, Thread};
use seqschedlock::{Park, RawSeqSchedLock, Wait, Writers};

use crate::explore::{explore, explore_to, join, spawn};

type Lock = RawSeqSchedLock<Park>;

/// Blocks until it gets through.
fn read(lock: &Lock) {
    let _ = lock.read_begin_wait();
}

fn write(lock: &Lock) {
    drop(lock.write());
}

#[test]
pub fn one_writer_wakes_one_reader() {
    explore(|| {
        let lock = Arc::new(Lock::new());
        join([spawn(&lock, read), spawn(&lock, write)]);
    });
}

#[test]
pub fn two_writers_wake_one_reader() {
    explore(|| {
        let lock = Arc::new(Lock::new());
        join([spawn(&lock, write), spawn(&lock, read), spawn(&lock, write)]);
    });
}

#[test]
pub fn one_writer_wakes_two_readers() {
    explore(|| {
        let lock = Arc::new(Lock::new());
        join([spawn(&lock, read), spawn(&lock, write), spawn(&lock, read)]);
    });
}

#[test]
pub fn a_writer_that_comes_twice_wakes_one_reader() {
    explore(|| {
        let lock = Arc::new(Lock::new());
        let writer = spawn(&lock, |lock| {
            write(lock);
            write(lock);
        });
        join([spawn(&lock, read), writer]);
    });
}

/// Loom has no clock; for `Park` under loom every deadline has passed once it is waited for. What
/// is checked is that a place in the queue that was given up takes nobody's wake-up away.
#[test]
pub fn a_reader_that_times_out_takes_no_wake_up_from_one_that_stays() {
    explore(|| {
        let lock = Arc::new(Lock::new());
        let impatient = spawn(&lock, |lock| {
            let _ = lock.read_begin_deadline(Instant::now());
        });
        join([spawn(&lock, write), spawn(&lock, read), impatient]);
    });
}

#[test]
pub fn a_reader_that_blocked_sees_what_the_section_wrote() {
    explore(|| {
        let pair: [AtomicUsize; 2] = Default::default();
        let shared = Arc::new((Lock::new(), pair));
        let writer = spawn(&shared, |(lock, pair)| {
            let _section = lock.write();
            pair[0].store(1, Relaxed);
            pair[1].store(1, Relaxed);
        });
        let reader = spawn(&shared, |(lock, pair)| {
            let (left, right) = lock.read(|| (pair[0].load(Relaxed), pair[1].load(Relaxed)));
            assert_eq!(left, right, "a torn look was validated");
        });
        join([reader, writer]);
    });
}

/// A strategy without a fence of its own, so that all its ordering comes from the request: one
/// reader leaves its handle in a plain cell, and loom reports a writer that looks into it too early.
struct Doorbell {
    registered: AtomicBool,
    reader: UnsafeCell<Option<Thread>>,
}

// SAFETY: the cell is written once, by the only reader, before it asks to be woken, and read by
// writers that answer. That this is enough is what the model checks.
unsafe impl Sync for Doorbell {}
// SAFETY: a thread handle may be sent.
unsafe impl Send for Doorbell {}

impl Wait for Doorbell {
    fn init() -> Self {
        Doorbell {
            registered: AtomicBool::new(false),
            reader: UnsafeCell::new(None),
        }
    }

    fn wait(&self, writers: &Writers<'_>) {
        if !self.registered.load(Relaxed) {
            // SAFETY: only this reader writes, and no writer looks before it was asked.
            self.reader
                .with_mut(|reader| unsafe { *reader = Some(thread::current()) });
            self.registered.store(true, Relaxed);
        }
        if writers.request_wake() {
            thread::park();
        }
    }

    fn wake(&self) {
        // SAFETY: the reader asked, so it has written, and it does not write again.
        self.reader
            .with(|reader| unsafe { (*reader).as_ref() }.unwrap().unpark());
    }
}

/// A strategy that orders its own queue, so that all that is left to the request is the request.
struct Queue(Mutex<Vec<Thread>>);

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
        for reader in self.0.lock().unwrap().drain(..) {
            reader.unpark();
        }
    }
}

/// One reader against some writers, with a strategy of the test's own.
///
/// Four preemptions. Three would do for the interleaving that kills `clears_before_waking = false`,
/// but loom, which leaves out schedules that it takes for equivalent, comes upon it at four only.
///
/// A standard `Arc`: a model that deadlocks unwinds, and loom's own cannot be dropped then.
fn ring<W: Wait + Send + Sync + 'static>(writers: usize) {
    explore_to(4, move || {
        let lock = std::sync::Arc::new(RawSeqSchedLock::<W>::new());
        let reader = thread::spawn({
            let lock = lock.clone();
            move || {
                let _ = lock.read_begin_wait();
            }
        });
        let writers: Vec<_> = (0..writers)
            .map(|_| {
                let lock = lock.clone();
                thread::spawn(move || drop(lock.write()))
            })
            .collect();
        join([reader]);
        join(writers);
    });
}

#[test]
pub fn a_waker_sees_what_its_reader_did_before_it_asked() {
    ring::<Doorbell>(1);
}

#[test]
pub fn two_wakers_see_what_their_reader_did_before_it_asked() {
    ring::<Doorbell>(2);
}

#[test]
pub fn one_writer_wakes_a_queue_of_ones_own() {
    ring::<Queue>(1);
}

#[test]
pub fn two_writers_wake_a_queue_of_ones_own() {
    ring::<Queue>(2);
}
