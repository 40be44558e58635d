use std::time::Instant;

use super::{Policy, Refusal};
use crate::locks::{read_until, write};
use crate::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What was merged in 2021 (commit 730633f0b7f9): `invalidate_lock`, a read-write semaphore that
/// faults share and that an invalidate or a truncate holds exclusively.
///
/// Here it is the only protection, held from the lookup until the pte is set. (The kernel takes it
/// only where the page has to be read, and relies on the page lock for the rest.) A fault waits for
/// every invalidate of the file, an invalidate for every fault.
#[derive(Debug)]
pub struct InvalidateRwLock {
    invalidate_lock: RwLock<()>,
}

impl Policy for InvalidateRwLock {
    const NAME: &'static str = "InvalidateRwLock";
    const WATCHES_TRUNCATE: bool = false;

    type Attempt<'a> = RwLockReadGuard<'a, ()>;
    type Exclusion<'a> = RwLockWriteGuard<'a, ()>;
    type Section<'a> = ();

    fn new() -> Self {
        Self {
            invalidate_lock: RwLock::new(()),
        }
    }

    fn begin(
        &self,
        _index: u64,
        deadline: Option<Instant>,
    ) -> Result<RwLockReadGuard<'_, ()>, Refusal> {
        read_until(&self.invalidate_lock, deadline).ok_or(Refusal::TimedOut)
    }

    fn exclude(&self) -> RwLockWriteGuard<'_, ()> {
        write(&self.invalidate_lock)
    }

    fn section(&self, _index: u64) {}
}
