//! What a file system keeps for dirty pages, and ways to make that go wrong.

use std::collections::{BTreeSet, VecDeque};

use core::time::Duration;

use crate::locks::lock;
use crate::page_cache::error::VmFault;
use crate::sync::{Mutex, MutexGuard, sleep};

/// Which pages have metadata, the lock under which it is allocated, and what fails next.
#[derive(Debug, Default)]
pub struct Metadata {
    /// Taken before any page lock, as a journal's is.
    journal: Mutex<()>,
    /// Taken after any page lock, and held for moments only.
    pages: Mutex<BTreeSet<u64>>,
    troubles: Mutex<VecDeque<Trouble>>,
    latency: Duration,
}

/// A way for `page_mkwrite` to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No block could be reserved: `VM_FAULT_SIGBUS`.
    Sigbus,
    /// No memory: `VM_FAULT_OOM`.
    Oom,
    /// Not now: `VM_FAULT_NOPAGE`.
    NoPage,
}

impl Metadata {
    /// No metadata yet. Every allocation sleeps for `latency`, with the journal locked.
    #[must_use]
    pub fn new(latency: Duration) -> Self {
        Self {
            latency,
            ..Self::default()
        }
    }

    /// Makes the next `page_mkwrite` fail that has no trouble queued for it yet.
    pub fn fail_next(&self, trouble: Trouble) {
        lock(&self.troubles).push_back(trouble);
    }

    /// Clears the troubles still queued and returns how many there were.
    pub fn fail_no_more(&self) -> usize {
        core::mem::take(&mut *lock(&self.troubles)).len()
    }

    /// Whether the page `index` has metadata.
    #[must_use]
    pub fn contains(&self, index: u64) -> bool {
        lock(&self.pages).contains(&index)
    }

    /// How many pages have metadata.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.pages).len()
    }

    /// Whether no page has metadata.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Locks the journal and does whatever may take long or fail. `Ok(None)` is `VM_FAULT_NOPAGE`.
    pub(super) fn reserve(&self) -> Result<Option<MutexGuard<'_, ()>>, VmFault> {
        let journal = lock(&self.journal);
        if !self.latency.is_zero() {
            sleep(self.latency);
        }
        match lock(&self.troubles).pop_front() {
            None => Ok(Some(journal)),
            Some(Trouble::NoPage) => Ok(None),
            Some(Trouble::Sigbus) => Err(VmFault::Sigbus),
            Some(Trouble::Oom) => Err(VmFault::Oom),
        }
    }

    pub(in crate::page_cache) fn insert(&self, index: u64) {
        lock(&self.pages).insert(index);
    }

    pub(super) fn remove(&self, index: u64) {
        lock(&self.pages).remove(&index);
    }
}
