//! Waiting with a bound.
#![cfg(all(not(loom), feature = "std", feature = "park"))]

#[path = "support/patience.rs"]
mod patience;

use std::thread;
use std::time::{Duration, Instant};

use patience::wait_until;
use seqschedlock::{Park, RawSeqSchedLock};

type Lock = RawSeqSchedLock<Park>;

/// How many readers are in the queue, as `Debug` reports it.
fn queued(lock: &Lock) -> usize {
    loop {
        let state = format!("{:?}", lock.wait_strategy());
        let waiting = state
            .strip_prefix("Park { waiting: ")
            .and_then(|rest| rest.strip_suffix(" }"))
            .expect("Debug reports how many wait");
        if waiting != "<changing>" {
            return waiting.parse().unwrap();
        }
    }
}

#[test]
fn a_zero_timeout_answers_at_once() {
    let lock = Lock::new();
    let section = lock.write();
    assert_eq!(lock.read_begin_timeout(Duration::ZERO), None);
    assert_eq!(lock.read_begin_deadline(Instant::now()), None);
    drop(section);
    assert!(lock.read_begin_timeout(Duration::ZERO).is_some());
    assert!(
        lock.read_begin_deadline(Instant::now()).is_some(),
        "late, but it need not wait"
    );
}

#[test]
fn a_timeout_is_waited_out_in_full_and_leaves_nothing_behind() {
    let lock = Lock::new();
    let stamp = lock.read_begin().unwrap();
    let section = lock.write();
    for timeout in [1, 20, 50].map(Duration::from_millis) {
        let start = Instant::now();
        assert_eq!(lock.read_begin_timeout(timeout), None);
        assert!(start.elapsed() >= timeout);
        assert_eq!(queued(&lock), 0, "a place in the queue was left behind");
    }
    section.cancel();
    assert_eq!(
        lock.read_end(stamp),
        Ok(()),
        "a request was left in the stamp"
    );
}

#[test]
fn a_reader_in_time_is_let_in() {
    let lock = Lock::new();
    let section = lock.write();
    thread::scope(|threads| {
        let readers = [Duration::from_secs(600), Duration::MAX].map(|timeout| {
            let lock = &lock;
            threads.spawn(move || lock.read_begin_timeout(timeout))
        });
        wait_until("two readers are in the queue", || queued(&lock) == 2);
        drop(section);
        for reader in readers {
            let stamp = reader
                .join()
                .unwrap()
                .expect("woken long before its time is up");
            assert_eq!(lock.read_end(stamp), Ok(()));
        }
    });
    assert_eq!(queued(&lock), 0);
}

#[test]
fn a_reader_that_gives_up_takes_no_wake_up_from_one_that_stays() {
    let lock = Lock::new();
    let section = lock.write();
    thread::scope(|threads| {
        let patient = threads.spawn(|| lock.read_begin_wait());
        for _ in 0..20 {
            assert_eq!(lock.read_begin_timeout(Duration::from_millis(1)), None);
        }
        wait_until("the patient reader is in the queue", || queued(&lock) == 1);
        drop(section);
        assert_eq!(lock.read_end(patient.join().unwrap()), Ok(()));
    });
}
