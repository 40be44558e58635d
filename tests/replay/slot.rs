//! A cache for one key, without a lock to check under: a reader that finds an entry has to check whether it may be
//! served.

use core::cell::RefCell;
use std::sync::Arc;

use seqschedlock::{Fenced, RawSeqSchedLock, Spin};

pub type Entry = Arc<Fenced<u32>>;

#[derive(Default)]
pub struct Slot(RefCell<Option<Entry>>);

impl Slot {
    pub fn find(&self) -> Option<Entry> {
        self.0.borrow().clone()
    }

    /// What a lookup finds that may be served.
    pub fn hit(&self, fence: &RawSeqSchedLock<Spin>) -> Option<u32> {
        self.find()?.hit(fence).copied()
    }

    pub fn insert(&self, entry: &Entry) {
        self.0.replace(Some(Arc::clone(entry)));
    }

    pub fn remove(&self) {
        self.0.replace(None);
    }
}
