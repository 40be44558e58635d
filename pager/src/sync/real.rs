//! Locks and atomics of the standard library, and sizes for real use.

pub(crate) use core::sync::atomic;
pub(crate) use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How many locks share the pages of a pager.
pub(crate) const STRIPES: usize = 64;
/// How often a fault may lose before it keeps the gate.
pub(crate) const PATIENCE: u32 = 3;
