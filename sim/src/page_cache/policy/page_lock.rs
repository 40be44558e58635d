use std::time::Instant;

use super::{Policy, Refusal};

/// What was merged in 2007 (commit d00806b18315): the page is locked from its lookup until it counts
/// as mapped.
///
/// An invalidate locks the page too, so no race is left. Every fault pays for it, and faults on one
/// page run one after the other. `truncate_count` went with the same change.
#[derive(Debug)]
pub struct PageLock;

impl Policy for PageLock {
    const NAME: &'static str = "PageLock";
    const LOCKS_PAGE: bool = true;
    const WATCHES_TRUNCATE: bool = false;

    type Attempt<'a> = ();
    type Exclusion<'a> = ();
    type Section<'a> = ();

    fn new() -> Self {
        PageLock
    }

    fn begin(&self, _index: u64, _deadline: Option<Instant>) -> Result<(), Refusal> {
        Ok(())
    }

    fn exclude(&self) {}

    fn section(&self, _index: u64) {}
}
