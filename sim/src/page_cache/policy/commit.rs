use std::time::Instant;

use super::{Policy, Refusal};
use seqschedlock::{Conflict, Park, RawSeqSchedLock, Stamp, WriteGuard};

/// This crate: the page counts as mapped first, then `read_commit` says whether it may stay so.
///
/// One lock for the whole file. An invalidate that has not ended when the fault began sees the count and unmaps, or
/// the fault sees the invalidate and takes the count back. The pte is set only after the commit and the page-table
/// lock is held throughout, so no thread ever reads through a mapping that is about to be taken back, and a thread
/// that unmaps the page finds the pte in place.
///
/// A pager in user space cannot do this: `UFFDIO_COPY` sets the pte itself, so threads may read the page before it is
/// taken back. It has to validate first, inside a gate, or publish the page behind the mapping (`docs/pager.md`).
#[derive(Debug)]
pub struct Commit {
    invalidate_lock: RawSeqSchedLock<Park>,
}

impl Policy for Commit {
    const NAME: &'static str = "Commit";
    const FALLS_BACK: bool = true;

    type Attempt<'a> = Stamp;
    type Exclusion<'a> = ();
    type Section<'a> = WriteGuard<'a, Park>;

    fn new() -> Self {
        Self {
            invalidate_lock: RawSeqSchedLock::new(),
        }
    }

    fn begin(&self, _index: u64, _deadline: Option<Instant>) -> Result<Stamp, Refusal> {
        self.invalidate_lock.read_begin().map_err(Refusal::Conflict)
    }

    fn wait(&self, _index: u64, deadline: Option<Instant>) -> bool {
        super::wait_for_writers(&self.invalidate_lock, deadline)
    }

    fn after_rmap(&self, _index: u64, stamp: &Stamp) -> Result<(), Conflict> {
        self.invalidate_lock.read_commit(*stamp)
    }

    fn exclude(&self) {}

    fn section(&self, _index: u64) -> WriteGuard<'_, Park> {
        self.invalidate_lock.write()
    }

    fn cancel(section: WriteGuard<'_, Park>) {
        section.cancel();
    }
}
