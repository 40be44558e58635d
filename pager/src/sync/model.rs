//! The policies under loom: small enough to explore, with room for every race.

pub(crate) use loom::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic};

pub(crate) const STRIPES: usize = 2;
pub(crate) const PATIENCE: u32 = 1;
