//! What went wrong, and how often.

use std::collections::BTreeMap;
// From `std` also under loom: it observes a model and must not become part of it.
use std::sync::Mutex;

use crate::locks::lock_beside_model;

/// What has been reported, and how often.
///
/// A report stops nothing. One race can have several consequences, and the first must not hide the
/// others.
#[derive(Debug)]
pub(super) struct Findings<V>(Mutex<BTreeMap<V, u64>>);

impl<V> Default for Findings<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V: Ord + Clone> Findings<V> {
    pub(super) fn report(&self, violation: V) {
        let mut counts = lock_beside_model(&self.0);
        *counts.entry(violation).or_default() += 1;
    }

    pub(super) fn counts(&self) -> BTreeMap<V, u64> {
        lock_beside_model(&self.0).clone()
    }
}
