//! What a mapping counts about itself: pages alive, ptes orphaned, I/O failed.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Counters that no code acts on. They are `core`'s even under loom: a model has better things to
/// explore than their order.
#[derive(Debug, Default)]
pub(super) struct Census {
    pages: AtomicUsize,
    orphans: AtomicU64,
    io_errors: AtomicU64,
    dirtied: AtomicU64,
    times: AtomicU64,
}

impl Census {
    pub(super) fn page_allocated(&self) {
        self.pages.fetch_add(1, Relaxed);
    }

    pub(super) fn page_freed(&self) {
        self.pages.fetch_sub(1, Relaxed);
    }

    pub(super) fn pages(&self) -> usize {
        self.pages.load(Relaxed)
    }

    pub(super) fn orphan_unmapped(&self) {
        self.orphans.fetch_add(1, Relaxed);
    }

    pub(super) fn orphans(&self) -> u64 {
        self.orphans.load(Relaxed)
    }

    pub(super) fn io_failed(&self) {
        self.io_errors.fetch_add(1, Relaxed);
    }

    pub(super) fn io_errors(&self) -> u64 {
        self.io_errors.load(Relaxed)
    }

    pub(super) fn dirtied(&self) {
        self.dirtied.fetch_add(1, Relaxed);
    }

    /// How often a fault has made a page dirty.
    pub(super) fn times_dirtied(&self) -> u64 {
        self.dirtied.load(Relaxed)
    }

    pub(super) fn time_updated(&self) {
        self.times.fetch_add(1, Relaxed);
    }

    /// How often a fault has set the time of the file.
    pub(super) fn times_updated(&self) -> u64 {
        self.times.load(Relaxed)
    }
}
