//! The systems under loom: as small as a kernel can be and still show every race.
//!
//! Pages have one word, which is enough to be old or new, and their index has one lock, as in 2005.
//! `Arc` is `std`'s everywhere: nobody acts on a count of references, so there is nothing to explore
//! about it.

use core::time::Duration;

pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic,
};

pub(crate) const WORDS_PER_PAGE: usize = 1;
pub(crate) const TREE_LOCKS: usize = 1;
pub(crate) const STRIPES: usize = 2;

/// Loom has no clock; a sleep is a moment in which all others may run.
pub(crate) fn sleep(_duration: Duration) {
    loom::thread::yield_now();
}
