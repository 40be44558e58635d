//! What a reader of a cell gets was stored as a whole.
//!
//! Under loom a cell copies its value in pieces of four bytes, each a relaxed atomic access: a
//! `[u32; 2]` can be torn in two.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;
use seqschedlock::{SeqSchedCell, Spin, Wait, Writers};

use crate::explore::{explore, explore_all, explore_to, join, spawn};

/// A strategy that might ask to be woken, so that writers have to expect it: they leave by a swap.
pub struct Asking;

impl Wait for Asking {
    fn init() -> Self {
        Asking
    }

    fn wait(&self, writers: &Writers<'_>) {
        if writers.request_wake() {
            thread::yield_now();
        }
    }
}

type Pair<W> = SeqSchedCell<[u32; 2], W>;

/// A writer and a reader.
fn beside<W: Wait + Send + Sync + 'static>(write: fn(&Pair<W>), look: fn(&Pair<W>)) {
    let cell = Arc::new(Pair::<W>::new([0; 2]));
    join([write, look].map(|act| spawn(&cell, act)));
    // No writer can interfere any more: this one has to succeed.
    look(&cell);
    let [left, right] = cell.try_load().unwrap();
    assert_eq!(left, right, "a torn value");
}

fn look<W: Wait>(cell: &Pair<W>) {
    if let Ok([left, right]) = cell.try_load() {
        assert_eq!(left, right, "a torn value");
    }
}

fn store<W: Wait>(cell: &Pair<W>) {
    cell.store([1; 2]);
}

fn copy_back<W: Wait>(cell: &Pair<W>) {
    let mut guard = cell.lock();
    guard[0] += 1;
    guard[1] += 1;
}

#[test]
pub fn a_store_is_not_torn() {
    explore_all(|| beside::<Spin>(store, look));
}

#[test]
pub fn a_store_that_expects_requests_is_not_torn() {
    explore_all(|| beside::<Asking>(store, look));
}

#[test]
pub fn a_copy_back_is_not_torn() {
    explore(|| beside::<Spin>(copy_back, look));
}

#[test]
pub fn a_copy_back_that_expects_requests_is_not_torn() {
    explore(|| beside::<Asking>(copy_back, look));
}

fn two_stores<W: Wait>(cell: &Pair<W>) {
    cell.store([1; 2]);
    cell.store([2; 2]);
}

/// With the split word a model's sequence has one bit: then the state after two stores is what it
/// was before.
#[test]
pub fn two_stores_in_a_row_are_not_torn() {
    explore(|| beside::<Spin>(two_stores, look));
}

#[test]
pub fn two_stores_in_a_row_that_expect_requests_are_not_torn() {
    explore(|| beside::<Asking>(two_stores, look));
}

/// There a whole cycle also begins in the middle of one.
#[test]
pub fn three_stores_in_a_row_are_not_torn() {
    fn three_stores(cell: &Pair<Spin>) {
        two_stores(cell);
        cell.store([3; 2]);
    }
    explore(|| beside(three_stores, look));
}

#[test]
pub fn two_copies_back_in_a_row_are_not_torn() {
    fn two_copies_back(cell: &Pair<Spin>) {
        copy_back(cell);
        copy_back(cell);
    }
    explore(|| beside(two_copies_back, look));
}

#[test]
pub fn stores_of_two_writers_are_not_torn() {
    explore_to(2, || {
        let cell = Arc::new(Pair::<Spin>::new([0; 2]));
        let writers = [1, 2].map(|value| spawn(&cell, move |cell| cell.store([value; 2])));
        let reader = spawn(&cell, look);
        join(writers.into_iter().chain([reader]));
    });
}

#[test]
pub fn two_loads_in_a_row_do_not_go_back_in_time() {
    fn two_loads(cell: &Pair<Spin>) {
        if let (Ok([first, _]), Ok([second, _])) = (cell.try_load(), cell.try_load()) {
            assert!(first <= second, "an older value");
        }
    }
    explore(|| beside(store, two_loads));
}

#[test]
pub fn a_load_that_waits_gets_through() {
    fn load(cell: &Pair<Spin>) {
        let [left, right] = cell.load();
        assert_eq!(left, right, "a torn value");
    }
    explore(|| beside(store, load));
    explore(|| beside(two_stores, load));
}

#[test]
pub fn a_reader_takes_no_notice_of_a_guard_that_is_discarded() {
    fn discard(cell: &Pair<Spin>) {
        let mut guard = cell.lock();
        *guard = [1, 2];
        guard.discard();
    }
    fn succeed(cell: &Pair<Spin>) {
        assert_eq!(cell.try_load(), Ok([0; 2]));
    }
    explore_all(|| beside(discard, succeed));
}

#[test]
pub fn a_swap_returns_a_whole_value() {
    explore(|| {
        let cell = Arc::new(Pair::<Spin>::new([0; 2]));
        let [ours, theirs] = [1, 2].map(|value| spawn(&cell, move |cell| cell.swap([value; 2])));
        let (ours, theirs) = (ours.join().unwrap(), theirs.join().unwrap());
        let last = cell.try_load().unwrap();
        assert_ne!(ours, theirs, "two swaps got the same value");
        for [left, right] in [ours, theirs, last] {
            assert_eq!(left, right, "a torn value");
        }
    });
}

#[test]
pub fn a_reader_sees_what_the_writer_did_before_it_stored() {
    explore_all(|| {
        let shared = Arc::new((Pair::<Spin>::new([0; 2]), AtomicUsize::new(0)));
        let writer = spawn(&shared, |(cell, before)| {
            before.store(1, Relaxed);
            cell.store([1; 2]);
        });
        let reader = spawn(&shared, |(cell, before)| {
            if cell.try_load() == Ok([1; 2]) {
                assert_eq!(before.load(Relaxed), 1, "the value came without its past");
            }
        });
        join([writer, reader]);
    });
}

/// A value of one piece, past the word.
#[test]
pub fn a_value_that_is_loaded_whole_comes_with_its_past() {
    explore_all(|| {
        let shared = Arc::new((SeqSchedCell::<u32, Spin>::new(0), AtomicUsize::new(0)));
        let writer = spawn(&shared, |(cell, before)| {
            before.store(1, Relaxed);
            cell.store(1);
        });
        let reader = spawn(&shared, |(cell, before)| {
            let value = cell.try_load().expect("one access cannot be disturbed");
            if value == 1 {
                assert_eq!(before.load(Relaxed), 1, "the value came without its past");
            }
        });
        join([writer, reader]);
    });
}

/// A reader that has lost once takes a turn if it can.
#[test]
pub fn a_reader_that_takes_a_turn_loses_no_update() {
    explore_to(2, || {
        let cell = Arc::new(Pair::<Asking>::new([0; 2]));
        let reader = spawn(&cell, |cell| {
            let [left, right] = cell.load();
            assert_eq!(left, right, "a torn value");
        });
        let writer = spawn(&cell, |cell| {
            for _ in 0..2 {
                cell.update(|value| value.map(|part| part + 1));
            }
        });
        join([writer, reader]);
        assert_eq!(cell.try_load(), Ok([2; 2]), "an update is lost");
    });
}
