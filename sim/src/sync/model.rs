//! The systems under loom: as small as a kernel can be and still show every race.
//!
//! Pages have one word, which is enough to be old or new, and their index has one lock, as in 2005. A page
//! of an AIO ring has four slots; the header takes one of the first page. `Arc` is `std`'s everywhere: no
//! code acts on a reference count, so there is nothing to explore about it.

use std::sync::Arc;

use core::time::Duration;

pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
};
/// Loom's threads are coroutines of one thread, and would share the thread-locals of `std`.
pub(crate) use loom::thread_local;

pub(crate) const WORDS_PER_PAGE: usize = 1;
pub(crate) const TREE_LOCKS: usize = 1;
pub(crate) const STRIPES: usize = 2;
pub(crate) const RING_SLOTS: usize = 4;

/// Loom has no clock; a sleep is a point at which all other threads may run.
pub(crate) fn sleep(_duration: Duration) {
    loom::thread::yield_now();
}

/// Reads a flag that other threads may change.
///
/// It is a read-modify-write because loom compares a store only with the last access before it. If that was
/// a load by the same thread, loom does not try the store before the loads of other threads.
pub(crate) fn look(flag: &atomic::AtomicBool, ordering: atomic::Ordering) -> bool {
    flag.fetch_or(false, ordering)
}

/// Sets a flag that other threads read. It is a swap because loom may order a plain store before an earlier
/// read-modify-write.
pub(crate) fn set(flag: &atomic::AtomicBool, value: bool) {
    flag.swap(value, atomic::Ordering::AcqRel);
}

/// A pointer that other threads may change at any time. It orders its target and nothing else: stores
/// release, loads acquire. (In the kernel, loads are ordered by dependency.) A load may still return an
/// older target, so all of them are kept.
#[derive(Debug)]
pub(crate) struct Pointer<T> {
    current: atomic::AtomicUsize,
    targets: std::sync::Mutex<Vec<Option<Arc<T>>>>,
}

impl<T> Pointer<T> {
    pub(crate) fn null() -> Self {
        Self {
            current: atomic::AtomicUsize::new(0),
            targets: std::sync::Mutex::new(vec![None]),
        }
    }

    pub(crate) fn load(&self) -> Option<Arc<T>> {
        let current = self.current.load(atomic::Ordering::Acquire);
        let targets = self.targets.lock();
        targets.expect("no push panics")[current].clone()
    }

    pub(crate) fn store(&self, target: Option<Arc<T>>) {
        let mut targets = self.targets.lock().expect("no push panics");
        targets.push(target);
        let newest = targets.len() - 1;
        drop(targets);
        self.current.store(newest, atomic::Ordering::Release);
    }
}
