use std::time::Instant;

use super::{Policy, Refusal};
use seqschedlock::{Conflict, Park, RawSeqSchedLock, Stamp, WriteGuard};

/// The patch of December 2005: the fault checks first, then maps.
///
/// The window is smaller, but still there: a section that begins after the check finds a page that
/// is not mapped, and removes it. The page-table lock does not close the window, since an
/// invalidate that finds the page not mapped never takes that lock.
///
/// (The patch yielded where this waits in a queue. As there, a fault waits and looks again for as
/// long as it takes.)
#[derive(Debug)]
pub struct AsPosted {
    invalidate_lock: RawSeqSchedLock<Park>,
}

impl Policy for AsPosted {
    const NAME: &'static str = "AsPosted";

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

    fn before_rmap(&self, _index: u64, stamp: &Stamp) -> Result<(), Conflict> {
        self.invalidate_lock.read_end(*stamp)
    }

    fn exclude(&self) {}

    fn section(&self, _index: u64) -> WriteGuard<'_, Park> {
        self.invalidate_lock.write()
    }

    fn cancel(section: WriteGuard<'_, Park>) {
        section.cancel();
    }
}
