//! What keeps a fault from mapping a page that an invalidate has removed: twenty years of answers,
//! behind one trait.

mod as_posted;
mod commit;
mod invalidate_rwlock;
mod page_lock;
mod striped;
mod unprotected;

pub use as_posted::AsPosted;
pub use commit::Commit;
pub use invalidate_rwlock::InvalidateRwLock;
pub use page_lock::PageLock;
pub use striped::Striped;
pub use unprotected::Unprotected;

use std::time::Instant;

use seqschedlock::{Conflict, Park, RawSeqSchedLock};

/// What stands between a fault and an invalidate.
///
/// Fault and invalidate are written once; a policy is called at the places where the kernel's
/// versions of them differ:
///
/// | in a fault | in an invalidate |
/// |---|---|
/// | [`begin`](Self::begin), before the page is looked up | [`exclude`](Self::exclude), before any page is locked |
/// | [`before_rmap`](Self::before_rmap), with the page-table lock | [`section`](Self::section), page locked, before its `mapcount` is read |
/// | `mapcount` + 1 | unmap, release, remove |
/// | [`after_rmap`](Self::after_rmap); only then the pte is set | drop the section |
///
/// What `begin` returned is dropped once the pte is set.
pub trait Policy: Send + Sync + Sized + 'static {
    /// The name in tables.
    const NAME: &'static str;
    /// The fault locks the page from its lookup until it counts as mapped.
    const LOCKS_PAGE: bool = false;
    /// The fault compares the mapping's `truncate_count`, as the kernel did until 2.6.22.
    const WATCHES_TRUNCATE: bool = true;
    /// After enough conflicts in a row the fault takes the page lock instead.
    const FALLS_BACK: bool = false;

    /// What a fault holds from `begin` on.
    type Attempt<'a>;
    /// What an invalidate holds from before its first page lock to its end.
    type Exclusion<'a>;
    /// What an invalidate holds around the removal of one page.
    type Section<'a>;

    /// The policy of a new mapping.
    fn new() -> Self;

    /// A fault on the page `index` of the file begins.
    ///
    /// # Errors
    ///
    /// The conflict that was met, or that `deadline` has passed.
    fn begin(&self, index: u64, deadline: Option<Instant>) -> Result<Self::Attempt<'_>, Refusal>;

    /// Waits until another attempt has a chance; `false` if `deadline` passes first.
    #[must_use]
    fn wait(&self, index: u64, deadline: Option<Instant>) -> bool {
        let _ = (index, deadline);
        true
    }

    /// May the page be counted as mapped?
    ///
    /// # Errors
    ///
    /// The conflict that was met: look again.
    fn before_rmap(&self, index: u64, attempt: &Self::Attempt<'_>) -> Result<(), Conflict> {
        let _ = (index, attempt);
        Ok(())
    }

    /// The page counts as mapped. May the pte be set?
    ///
    /// # Errors
    ///
    /// The conflict that was met: uncount it and look again.
    fn after_rmap(&self, index: u64, attempt: &Self::Attempt<'_>) -> Result<(), Conflict> {
        let _ = (index, attempt);
        Ok(())
    }

    /// An invalidate of some pages begins.
    fn exclude(&self) -> Self::Exclusion<'_>;

    /// The invalidate reaches the page `index`, which it has locked.
    fn section(&self, index: u64) -> Self::Section<'_>;

    /// Ends a section in which nothing was unmapped and nothing removed.
    fn cancel(section: Self::Section<'_>) {
        drop(section);
    }
}

/// Why a fault could not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A write section is running.
    Conflict(Conflict),
    /// The deadline of the fault has passed.
    TimedOut,
}

/// Sleeps until no write section is running; `false` if `deadline` passes first.
fn wait_for_writers(lock: &RawSeqSchedLock<Park>, deadline: Option<Instant>) -> bool {
    match deadline {
        None => {
            let _look_again = lock.read_begin_wait();
            true
        }
        Some(deadline) => lock.read_begin_deadline(deadline).is_some(),
    }
}
