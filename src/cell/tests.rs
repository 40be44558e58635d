//! What only the crate itself can set up: a copy that takes a long time.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use super::SeqSchedCell;
use crate::wait::{Wait, Writers};

/// A strategy that counts, and stops waiting when it is woken.
struct Counts {
    waits: AtomicUsize,
    wakes: AtomicUsize,
}

impl Wait for Counts {
    const INIT: Self = Counts {
        waits: AtomicUsize::new(0),
        wakes: AtomicUsize::new(0),
    };

    fn wait(&self, writers: &Writers<'_>) {
        if writers.request_wake() {
            self.waits.fetch_add(1, Relaxed);
            while self.wakes.load(Relaxed) == 0 {
                thread::yield_now();
            }
        }
    }

    fn wake(&self) {
        self.wakes.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_reader_waits_for_the_end_of_a_copy_as_the_strategy_says() {
    let cell = SeqSchedCell::<[u64; 2], Counts>::new([1, 1]);
    let wait = &cell.turns.wait;
    thread::scope(|threads| {
        let turn = cell.turns.word.take_turn_and_enter().unwrap();
        assert!(cell.try_load().is_err());
        let reader = threads.spawn(|| cell.load());
        let mut looks = 0;
        while wait.waits.load(Relaxed) == 0 && looks < 1_000_000_000 {
            looks += 1;
            thread::yield_now();
        }
        let waited = wait.waits.load(Relaxed);
        cell.put(&[2, 2]);
        cell.leave(turn);
        assert_eq!(waited, 1, "the reader did not wait as the strategy says");
        assert_eq!(reader.join().unwrap(), [2, 2]);
    });
    assert_eq!(wait.wakes.load(Relaxed), 1);
}
