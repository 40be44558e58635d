//! An entry that is published out of reach and opened once its publication has been committed.
//!
//! Between a publication and its retraction others find it in the cache. Found closed it counts as a
//! miss, so what was loaded too early is never served, not even for a moment.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

pub struct Entry<T> {
    value: T,
    open: AtomicBool,
}

impl<T> Entry<T> {
    pub fn closed(value: T) -> Arc<Self> {
        let open = AtomicBool::new(false);
        Arc::new(Self { value, open })
    }

    /// To be called after the commit: every later invalidation finds the entry and removes it.
    pub fn open(&self) {
        // Pairs with `is_open`, and only hands on that the commit has happened.
        self.open.store(true, Ordering::Release);
    }

    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    pub fn value(&self) -> &T {
        &self.value
    }
}
