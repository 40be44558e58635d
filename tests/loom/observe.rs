//! G1: if `read_end` is `Ok`, what was read is as if no writer had run.

use loom::sync::Arc;
use loom::sync::atomic::{
    AtomicUsize, Ordering,
    Ordering::{Relaxed, Release},
};
use loom::thread;
use seqschedlock::{Conflict, RawSeqSchedLock, Spin, Stamp};

use crate::explore::{explore, explore_all, join, spawn};

/// Two values that every write section leaves equal.
struct Pair {
    lock: RawSeqSchedLock<Spin>,
    left: AtomicUsize,
    right: AtomicUsize,
}

impl Pair {
    fn new() -> Self {
        Pair {
            lock: RawSeqSchedLock::new(),
            left: AtomicUsize::new(0),
            right: AtomicUsize::new(0),
        }
    }

    fn set(&self, value: usize) {
        self.left.store(value, Relaxed);
        self.right.store(value, Relaxed);
    }

    fn write(&self, value: usize) {
        let _section = self.lock.write();
        self.set(value);
    }

    fn both(&self) -> (usize, usize) {
        (self.left.load(Relaxed), self.right.load(Relaxed))
    }

    /// One look; if it was validated, what it saw.
    fn look(&self) -> Option<usize> {
        let (left, right) = self.lock.try_read(|| self.both()).ok()?;
        assert_eq!(left, right, "a torn look was validated");
        Some(left)
    }
}

#[test]
pub fn a_validated_look_is_not_torn_by_a_writer() {
    explore_all(|| {
        let pair = Arc::new(Pair::new());
        join([
            spawn(&pair, |pair| pair.write(1)),
            spawn(&pair, |pair| {
                pair.look();
            }),
        ]);
        // No writer can interfere any more: this one has to succeed, and to see the end.
        assert_eq!(pair.look(), Some(1));
    });
}

#[test]
pub fn validated_looks_do_not_go_back_in_time() {
    explore(|| {
        let pair = Arc::new(Pair::new());
        join([
            spawn(&pair, |pair| pair.write(1)),
            spawn(&pair, |pair| {
                let (first, second) = (pair.look(), pair.look());
                if let (Some(first), Some(second)) = (first, second) {
                    assert!(second >= first, "a look went back in time");
                }
            }),
        ]);
    });
}

#[test]
pub fn a_validated_look_is_not_torn_by_two_writers() {
    explore(|| {
        let pair = Arc::new(Pair::new());
        join([
            spawn(&pair, |pair| pair.write(1)),
            // Writers overlap, so this one leaves the pair alone: what it may do is hide the other.
            spawn(&pair, |pair| drop(pair.lock.write())),
            spawn(&pair, |pair| {
                pair.look();
            }),
        ]);
    });
}

/// One section inside another, on one thread, ending in the given order.
fn overlapping(inner_first: bool) {
    explore(move || {
        let pair = Arc::new(Pair::new());
        let writer = spawn(&pair, move |pair| {
            let outer = pair.lock.write();
            let inner = pair.lock.write();
            let (first, last) = if inner_first {
                (inner, outer)
            } else {
                (outer, inner)
            };
            pair.left.store(1, Relaxed);
            drop(first);
            pair.right.store(1, Relaxed);
            drop(last);
        });
        let reader = spawn(&pair, |pair| {
            pair.look();
        });
        join([writer, reader]);
    });
}

#[test]
pub fn the_section_lasts_until_the_outer_of_two_overlapping_guards_ends() {
    overlapping(true);
}

#[test]
pub fn the_section_lasts_until_the_inner_of_two_overlapping_guards_ends() {
    overlapping(false);
}

/// What `read_begin` promises by itself: it saw the section's end, so it sees all that the section wrote,
/// and nothing has begun since.
#[test]
pub fn a_reader_that_begins_after_a_section_sees_what_it_wrote() {
    explore_all(|| {
        // A guard that moves between loom's threads needs a lock that lives for ever.
        let pair: &'static Pair = Box::leak(Box::new(Pair::new()));
        let section = pair.lock.write();
        let writer = thread::spawn(move || {
            pair.set(1);
            drop(section);
        });
        let reader = thread::spawn(|| {
            if let Ok(stamp) = pair.lock.read_begin() {
                assert_eq!(pair.both(), (1, 1), "a section that had ended is not seen");
                assert_eq!(
                    pair.lock.read_end(stamp),
                    Ok(()),
                    "a conflict without a section"
                );
            }
        });
        join([writer, reader]);
    });
}

/// A section that one thread begins, and in which another one, which was given the guard, stores.
fn moved(store: Ordering, check: fn(&RawSeqSchedLock<Spin>, Stamp) -> Result<(), Conflict>) {
    explore(move || {
        // A guard that moves between loom's threads needs a lock that lives for ever.
        let pair: &'static Pair = Box::leak(Box::new(Pair::new()));
        let reader = thread::spawn(move || {
            let Ok(stamp) = pair.lock.read_begin() else {
                return;
            };
            let (left, right) = pair.both();
            if check(&pair.lock, stamp).is_ok() {
                assert_eq!(left, right, "a torn look was validated");
            }
        });
        let beginning = thread::spawn(|| pair.lock.write());
        let section = beginning.join().unwrap();
        let ending = thread::spawn(move || {
            pair.left.store(1, store);
            pair.right.store(1, store);
            drop(section);
        });
        join([ending, reader]);
    });
}

#[test]
pub fn a_section_that_moves_is_seen_by_release_stores() {
    moved(Release, RawSeqSchedLock::read_end);
}

#[test]
pub fn a_section_that_moves_is_seen_by_a_commit() {
    moved(Relaxed, RawSeqSchedLock::read_commit);
}

/// What the documentation warns of: the one combination that does not hold.
#[test]
#[should_panic(expected = "torn look")]
fn a_moved_section_that_stores_relaxed() {
    moved(Relaxed, RawSeqSchedLock::read_end);
}

#[test]
pub fn a_reader_that_waits_gets_through() {
    explore_all(|| {
        let pair = Arc::new(Pair::new());
        let reader = spawn(&pair, |pair| {
            let (left, right) = pair.lock.read(|| pair.both());
            assert_eq!(left, right, "a torn look was validated");
        });
        join([spawn(&pair, |pair| pair.write(1)), reader]);
    });
}
