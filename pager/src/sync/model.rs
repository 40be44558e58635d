//! Loom's locks and atomics, and sizes small enough to explore.

pub(crate) use loom::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic};

pub(crate) const STRIPES: usize = 2;
pub(crate) const PATIENCE: u32 = 1;
