use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crossbeam_utils::CachePadded;

use crate::fault::Served;

/// What a pager has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Faults that were served.
    pub faults: u64,
    /// Faults on a page that another handler was serving already.
    pub joined: u64,
    /// Loads from the store.
    pub loads: u64,
    /// Loads that were wasted because an invalidation ran meanwhile.
    pub conflicts: u64,
    /// Faults that kept the gate to get through, after too many conflicts.
    pub turns: u64,
    /// Faults whose load failed.
    pub failures: u64,
    /// Invalidations that have begun.
    pub invalidations: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    faults: AtomicU64,
    joined: AtomicU64,
    loads: AtomicU64,
    conflicts: AtomicU64,
    turns: AtomicU64,
    failures: AtomicU64,
    /// Not counted by handlers, so it has a cache line of its own.
    invalidations: CachePadded<AtomicU64>,
}

impl Counters {
    pub(super) fn served(&self, served: &Served) {
        self.faults.fetch_add(1, Relaxed);
        self.loads.fetch_add(served.loads.into(), Relaxed);
        self.conflicts.fetch_add(served.conflicts.into(), Relaxed);
        self.turns.fetch_add(served.took_turn.into(), Relaxed);
        self.failures
            .fetch_add(served.failure.is_some().into(), Relaxed);
    }

    pub(super) fn joined(&self) {
        self.joined.fetch_add(1, Relaxed);
    }

    pub(super) fn invalidations(&self) {
        self.invalidations.fetch_add(1, Relaxed);
    }

    pub(super) fn read(&self) -> Counts {
        Counts {
            faults: self.faults.load(Relaxed),
            joined: self.joined.load(Relaxed),
            loads: self.loads.load(Relaxed),
            conflicts: self.conflicts.load(Relaxed),
            turns: self.turns.load(Relaxed),
            failures: self.failures.load(Relaxed),
            invalidations: self.invalidations.load(Relaxed),
        }
    }
}
