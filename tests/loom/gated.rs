//! The gate: what is published inside it is valid, and a reader gets through after a bounded number of loads.

use std::cell::Cell;

use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::sync::{Arc, Mutex};
use seqschedlock::{GatedSeqSchedLock, Park, RawSeqSchedLock, Spin, Wait};

use crate::explore::{explore, explore_to, join, spawn};

/// A source, and a cache of what was found there: 0 if empty, else 1 + the source's version.
#[derive(Default)]
struct Cache<L> {
    lock: L,
    source: AtomicUsize,
    entry: AtomicUsize,
}

impl<L> Cache<L> {
    fn load(&self) -> usize {
        1 + self.source.load(Relaxed)
    }

    /// Looks before it removes, with a load, which a store buffer can deceive.
    fn remove_and_change(&self) {
        if self.entry.load(Relaxed) != 0 {
            self.entry.store(0, Relaxed);
        }
        self.source.fetch_add(1, Relaxed);
    }

    /// Call this when all is quiet.
    fn check(&self) {
        let entry = self.entry.load(Relaxed);
        assert!(
            entry == 0 || entry == self.load(),
            "a publication was missed: a stale entry stays in the cache"
        );
    }
}

type Gated<W> = Cache<GatedSeqSchedLock<W>>;

fn fill<W: Wait>(cache: &Gated<W>) {
    let loads = Cell::new(0);
    cache.lock.publish(
        || {
            loads.set(loads.get() + 1);
            cache.load()
        },
        |loaded| cache.entry.store(loaded, Relaxed),
    );
    assert!(loads.get() <= 2, "one attempt, then one behind the gate");
}

fn update<W: Wait>(cache: &Gated<W>) {
    let _section = cache.lock.write();
    cache.remove_and_change();
}

fn fill_against<W: Wait + Send + Sync + 'static>(updates: usize) {
    let cache = Arc::new(Gated::<W>::default());
    let filler = spawn(&cache, fill);
    let updater = spawn(&cache, move |cache| {
        (0..updates).for_each(|_| update(cache));
    });
    join([filler, updater]);
    cache.check();
}

#[test]
pub fn what_is_published_inside_the_gate_is_valid() {
    explore(|| fill_against::<Spin>(1));
}

/// The same, one attempt at a time.
#[test]
pub fn what_is_committed_inside_the_gate_is_valid() {
    explore(|| {
        let cache = Arc::new(Gated::<Spin>::default());
        let filler = spawn(&cache, |cache| {
            let Ok(stamp) = cache.lock.read_begin() else {
                return;
            };
            let loaded = cache.load();
            let _overtaken = cache
                .lock
                .commit(stamp, || cache.entry.store(loaded, Relaxed));
        });
        let updater = spawn(&cache, update);
        join([filler, updater]);
        cache.check();
    });
}

#[test]
pub fn a_filler_gets_through_beside_sections_back_to_back() {
    explore_to(2, || fill_against::<Park>(2));
}

#[test]
pub fn a_section_begun_before_the_gate_closed_is_waited_for() {
    explore_to(2, || {
        let cache: &'static Gated<Park> = Box::leak(Box::default());
        let section = cache.lock.write();
        let filler = loom::thread::spawn(|| fill(cache));
        let other = loom::thread::spawn(|| update(cache));
        cache.remove_and_change();
        drop(section);
        join([filler, other]);
        cache.check();
    });
}

/// Two values that every section leaves equal.
#[test]
pub fn a_look_behind_the_gate_is_not_torn() {
    explore_to(2, || {
        let pair: [AtomicUsize; 2] = Default::default();
        let shared = Arc::new((GatedSeqSchedLock::<Spin>::new(), pair));
        let writer = spawn(&shared, |(lock, pair)| {
            for value in 1..=2 {
                let _section = lock.write();
                pair[0].store(value, Relaxed);
                pair[1].store(value, Relaxed);
            }
        });
        let reader = spawn(&shared, |(lock, pair)| {
            let (left, right) = lock.read(|| (pair[0].load(Relaxed), pair[1].load(Relaxed)));
            assert_eq!(left, right, "a torn look");
        });
        join([writer, reader]);
    });
}

/// The same by hand, where readers pass the gate and sections do not: one fits between the check and the
/// publication.
#[test]
#[should_panic(expected = "publication was missed")]
fn sections_that_do_not_pass_the_gate() {
    type ByHand = Cache<(RawSeqSchedLock<Spin>, Mutex<()>)>;
    explore(|| {
        let cache = Arc::new(ByHand::default());
        let filler = spawn(&cache, |cache| {
            let (lock, gate) = &cache.lock;
            let Ok(stamp) = lock.read_begin() else { return };
            let loaded = cache.load();
            let _gate = gate.lock().unwrap();
            if lock.read_end(stamp).is_ok() {
                cache.entry.store(loaded, Relaxed);
            }
        });
        let updater = spawn(&cache, |cache| {
            let _section = cache.lock.0.write();
            cache.remove_and_change();
        });
        join([filler, updater]);
        cache.check();
    });
}
