//! What the systems lock with, and how large their kernel is.

pub(crate) use core::sync::atomic;
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
pub(crate) use std::thread::sleep;

/// 4096 bytes.
pub(crate) const WORDS_PER_PAGE: usize = 512;
/// How many locks share the page index of a mapping.
pub(crate) const TREE_LOCKS: usize = 64;
/// How many locks share the pages of a mapping under the policy `Striped`.
pub(crate) const STRIPES: usize = 64;
