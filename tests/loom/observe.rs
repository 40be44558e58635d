//! G1: if `read_end` is `Ok`, what was read is as if no writer had run.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;
use seqschedlock::{RawSeqSchedLock, Spin};

use crate::explore::{explore, explore_all};

/// Two values that every write section leaves equal.
struct Pair {
    lock: RawSeqSchedLock<Spin>,
    left: AtomicUsize,
    right: AtomicUsize,
}

impl Pair {
    fn at_rest() -> Self {
        Pair {
            lock: RawSeqSchedLock::new(),
            left: AtomicUsize::new(0),
            right: AtomicUsize::new(0),
        }
    }

    fn new() -> Arc<Self> {
        Arc::new(Self::at_rest())
    }

    fn write(&self) {
        let _section = self.lock.write();
        self.left.store(1, Relaxed);
        self.right.store(1, Relaxed);
    }

    fn look(&self) {
        let seen = self
            .lock
            .try_read(|| (self.left.load(Relaxed), self.right.load(Relaxed)));
        if let Ok((left, right)) = seen {
            assert_eq!(left, right, "a torn look was validated");
        }
    }
}

#[test]
pub fn a_validated_look_is_not_torn_by_a_writer() {
    explore_all(|| {
        let pair = Pair::new();
        let writer = thread::spawn({
            let pair = pair.clone();
            move || pair.write()
        });
        pair.look();
        writer.join().unwrap();
        // No writer can interfere any more: this one has to succeed, and to see the end.
        assert_eq!(pair.lock.try_read(|| pair.left.load(Relaxed)), Ok(1));
    });
}

#[test]
pub fn a_validated_look_is_not_torn_by_a_writer_that_comes_twice() {
    explore(|| {
        let pair = Pair::new();
        let writer = thread::spawn({
            let pair = pair.clone();
            move || {
                pair.write();
                let _section = pair.lock.write();
                pair.left.store(2, Relaxed);
                pair.right.store(2, Relaxed);
            }
        });
        pair.look();
        pair.look();
        writer.join().unwrap();
    });
}

#[test]
pub fn a_validated_look_is_not_torn_by_two_writers() {
    explore(|| {
        // Writers overlap, so each has a pair of its own.
        let lock = Arc::new(RawSeqSchedLock::<Spin>::new());
        let pairs: Arc<[[AtomicUsize; 2]; 2]> = Arc::default();
        let writers = [0, 1].map(|mine| {
            let (lock, pairs) = (lock.clone(), pairs.clone());
            thread::spawn(move || {
                let _section = lock.write();
                pairs[mine][0].store(1, Relaxed);
                pairs[mine][1].store(1, Relaxed);
            })
        });
        let seen = lock
            .try_read(|| [0, 1].map(|of| (pairs[of][0].load(Relaxed), pairs[of][1].load(Relaxed))));
        for (left, right) in seen.into_iter().flatten() {
            assert_eq!(left, right, "a torn look was validated");
        }
        for writer in writers {
            writer.join().unwrap();
        }
    });
}

/// One section inside another, on one thread, ending in the given order.
fn overlapping(inner_first: bool) {
    explore_all(move || {
        let pair = Pair::new();
        let writer = thread::spawn({
            let pair = pair.clone();
            move || {
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
            }
        });
        pair.look();
        writer.join().unwrap();
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

#[test]
pub fn a_section_that_ends_on_another_thread_releases_what_the_first_wrote() {
    explore(|| {
        // A guard that moves between loom's threads needs a lock that lives for ever.
        let pair: &'static Pair = Box::leak(Box::new(Pair::at_rest()));
        let reader = thread::spawn(|| pair.look());
        let writer = thread::spawn(|| {
            let section = pair.lock.write();
            pair.left.store(1, Relaxed);
            pair.right.store(1, Relaxed);
            section
        });
        drop(writer.join().unwrap());
        reader.join().unwrap();
    });
}

#[test]
pub fn a_reader_that_waits_gets_through() {
    explore_all(|| {
        let pair = Pair::new();
        let writer = thread::spawn({
            let pair = pair.clone();
            move || pair.write()
        });
        let (left, right) = pair
            .lock
            .read(|| (pair.left.load(Relaxed), pair.right.load(Relaxed)));
        assert_eq!(left, right, "a torn look was validated");
        writer.join().unwrap();
    });
}
