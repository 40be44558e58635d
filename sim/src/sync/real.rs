//! The locks that the systems use, and how large their kernel is.

pub(crate) use core::sync::atomic;
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
pub(crate) use std::thread::sleep;
pub(crate) use std::thread_local;

use std::sync::{Arc, PoisonError};

/// 4096 bytes.
pub(crate) const WORDS_PER_PAGE: usize = 512;
/// How many locks share the page index of a mapping.
pub(crate) const TREE_LOCKS: usize = 64;
/// How many locks share the pages of a mapping under the policy `Striped`.
pub(crate) const STRIPES: usize = 64;
/// Slots of 32 bytes in a page of an AIO ring. The first slot of the first page is the header.
pub(crate) const RING_SLOTS: usize = 128;

/// Reads a flag that other threads may change.
pub(crate) fn look(flag: &atomic::AtomicBool, ordering: atomic::Ordering) -> bool {
    flag.load(ordering)
}

/// Sets a flag that other threads read.
pub(crate) fn set(flag: &atomic::AtomicBool, value: bool) {
    flag.store(value, atomic::Ordering::Release);
}

/// A pointer that other threads may change at any time. Loading and storing are one step each; by the
/// time the target is used, the kernel may have freed it.
///
/// A mutex synchronizes more than a bare pointer does. Under loom it is a bare one.
#[derive(Debug)]
pub(crate) struct Pointer<T>(Mutex<Option<Arc<T>>>);

impl<T> Pointer<T> {
    pub(crate) fn null() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn load(&self) -> Option<Arc<T>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn store(&self, target: Option<Arc<T>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }
}
