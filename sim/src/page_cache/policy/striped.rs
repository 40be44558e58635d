use std::time::Instant;

use super::{Policy, Refusal};
use crate::sync::STRIPES;
use seqschedlock::{Conflict, Park, Stamp, StripedSeqSchedLock, WriteGuard};

/// As [`Commit`](super::Commit), with 64 locks for the file instead of one: page `index` uses the
/// lock `index % 64`.
///
/// An invalidate disturbs only faults on pages that share its stripe.
#[derive(Debug)]
pub struct Striped {
    invalidate_locks: StripedSeqSchedLock<Park, STRIPES>,
}

impl Policy for Striped {
    const NAME: &'static str = "Striped";
    const FALLS_BACK: bool = true;

    type Attempt<'a> = Stamp;
    type Exclusion<'a> = ();
    type Section<'a> = WriteGuard<'a, Park>;

    fn new() -> Self {
        Self {
            invalidate_locks: StripedSeqSchedLock::new(),
        }
    }

    fn begin(&self, index: u64, _deadline: Option<Instant>) -> Result<Stamp, Refusal> {
        let lock = self.invalidate_locks.for_index(index as usize);
        lock.read_begin().map_err(Refusal::Conflict)
    }

    fn wait(&self, index: u64, deadline: Option<Instant>) -> bool {
        super::wait_for_writers(self.invalidate_locks.for_index(index as usize), deadline)
    }

    fn after_rmap(&self, index: u64, stamp: &Stamp) -> Result<(), Conflict> {
        self.invalidate_locks
            .for_index(index as usize)
            .read_commit(*stamp)
    }

    fn exclude(&self) {}

    fn section(&self, index: u64) -> WriteGuard<'_, Park> {
        self.invalidate_locks.for_index(index as usize).write()
    }

    fn cancel(section: WriteGuard<'_, Park>) {
        section.cancel();
    }
}
