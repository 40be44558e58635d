//! No wake-up is lost. A reader that blocks for ever is a deadlock, which loom reports by itself.

use std::time::Instant;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;
use seqschedlock::{Park, RawSeqSchedLock, Wait};

use crate::explore::{explore, explore_to, join, spawn};
use crate::strategies::{Doorbell, Queue};

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

/// Loom has no clock; for `Park` under loom every deadline has passed once it is waited for. The
/// model checks that giving up a place in the queue takes no wake-up from another reader.
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

/// One reader against some writers, with a strategy of the test's own.
///
/// Four preemptions. Three are enough for the interleaving that kills `clears_before_waking =
/// false`, but loom skips schedules that it takes for equivalent, and reaches this one only with
/// four.
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
