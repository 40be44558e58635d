use core::ops::Range;
use std::sync::PoisonError;

use super::Policy;
use crate::fault::Fault;
use crate::memory::Memory;
use crate::sync;

/// A plain read-write lock: a fault holds it shared, an invalidation exclusively.
///
/// It is sound, and e2b fixed the race in its pager this way. Every fault waits for every invalidation, of
/// any page, and every invalidation waits for every load.
#[derive(Debug)]
pub struct RwLock {
    lock: sync::RwLock<()>,
}

impl Policy for RwLock {
    const NAME: &'static str = "RwLock";

    type Section<'a> = sync::RwLockWriteGuard<'a, ()>;

    fn new(_pages: usize, _block: usize) -> Self {
        Self {
            lock: sync::RwLock::new(()),
        }
    }

    fn serve<M: Memory>(&self, fault: &mut Fault<'_, M>) {
        let _shared: sync::RwLockReadGuard<'_, ()> =
            self.lock.read().unwrap_or_else(PoisonError::into_inner);
        fault.load();
        fault.map();
    }

    fn invalidate<M: Memory>(&self, pages: Range<usize>, memory: &M) -> Self::Section<'_> {
        let alone = self.lock.write().unwrap_or_else(PoisonError::into_inner);
        memory.take_out(pages);
        alone
    }
}
