//! What a process counts about itself.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters that only the checker looks at. They are `core`'s even under loom: a model has better things to
/// explore than their order. (So a model of the checker under load must not change them.)
#[derive(Debug, Default)]
pub(super) struct Census {
    /// Contexts that are not freed yet.
    pub(super) contexts: Count,
    /// Pages that `io_destroy` unmapped and that were not of the ring it destroyed.
    pub(super) innocents_unmapped: Count,
    /// References taken to contexts that were freed, or given back more than once.
    pub(super) freed_contexts_touched: Count,
    /// Accesses to pages of rings whose context was freed.
    pub(super) leftovers_touched: Count,
    /// Moves in a process without a table, under a hook that does not ask whether there is one.
    pub(super) null_tables: Count,
}

#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, number: u64) {
        self.0.fetch_add(number, Relaxed);
    }

    pub(super) fn subtract(&self, number: u64) {
        self.0.fetch_sub(number, Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
