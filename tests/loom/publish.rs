//! G2: if `read_commit` is `Ok`, every write section that did not end before the read section began
//! sees what was published. If it is not, the reader takes it back.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use seqschedlock::{Conflict, RawSeqSchedLock, Spin};

use crate::explore::{explore, explore_all, explore_to, join, spawn};

/// A source, and a cache of what was found there: 0 if empty, else 1 + the source's version.
struct Cache {
    lock: RawSeqSchedLock<Spin>,
    source: AtomicUsize,
    entry: AtomicUsize,
}

impl Cache {
    fn new() -> Arc<Self> {
        Arc::new(Cache {
            lock: RawSeqSchedLock::new(),
            source: AtomicUsize::new(0),
            entry: AtomicUsize::new(0),
        })
    }

    fn fill(&self) -> usize {
        let entry = 1 + self.source.load(Relaxed);
        self.entry.store(entry, Relaxed);
        entry
    }

    fn retract(&self, ours: usize) {
        let _ = self.entry.compare_exchange(ours, 0, Relaxed, Relaxed);
    }

    fn try_fill(&self) -> Result<usize, Conflict> {
        self.lock
            .try_publish(|| self.fill(), |ours| self.retract(ours))
    }

    fn invalidate(&self) {
        let _section = self.lock.write();
        self.source.fetch_add(1, Relaxed);
        self.remove();
    }

    /// The order for writers whose section may be cut short: nothing is stale at any moment.
    fn invalidate_first(&self) {
        let _section = self.lock.write();
        self.remove();
        self.source.fetch_add(1, Relaxed);
    }

    /// Looks whether there is an entry before it takes it out, as the kernel looks whether a page
    /// is mapped: with a load, which a store buffer can deceive.
    fn remove(&self) {
        let entry = self.entry.load(Relaxed);
        if entry != 0 {
            let _ = self.entry.compare_exchange(entry, 0, Relaxed, Relaxed);
        }
    }

    /// Call this when all is quiet.
    fn check(&self) {
        let entry = self.entry.load(Relaxed);
        assert!(
            entry == 0 || entry == 1 + self.source.load(Relaxed),
            "a publication was missed: a stale entry stays in the cache"
        );
    }
}

/// `fillers` against `invalidators`, which use one order or the other.
fn fill_against(fillers: usize, invalidators: usize, invalidate: fn(&Cache)) {
    let cache = Cache::new();
    let filling = (0..fillers).map(|_| {
        spawn(&cache, |cache| {
            let _ = cache.try_fill();
        })
    });
    let invalidating = (0..invalidators).map(|_| spawn(&cache, invalidate));
    join(filling.chain(invalidating).collect::<Vec<_>>());
    cache.check();
}

#[test]
pub fn a_writer_sees_what_was_committed() {
    explore_all(|| fill_against(1, 1, Cache::invalidate));
}

#[test]
pub fn what_is_removed_before_the_source_changes_does_not_come_back() {
    explore_all(|| fill_against(1, 1, Cache::invalidate_first));
}

#[test]
pub fn two_writers_see_what_was_committed() {
    explore(|| fill_against(1, 2, Cache::invalidate));
}

#[test]
pub fn two_fillers_retract_only_what_is_theirs() {
    explore_to(2, || fill_against(2, 1, Cache::invalidate));
}

#[test]
pub fn publishing_until_it_holds_leaves_a_fresh_entry() {
    explore_all(|| {
        let cache = Cache::new();
        let filler = spawn(&cache, |cache| {
            cache
                .lock
                .publish(|| cache.fill(), |ours| cache.retract(ours));
        });
        join([filler, spawn(&cache, Cache::invalidate)]);
        cache.check();
    });
}
