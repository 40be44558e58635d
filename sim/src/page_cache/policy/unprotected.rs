use std::time::Instant;

use super::{Policy, Refusal};

/// Linux 2.6.15: nothing. The invalidate checks whether the page is mapped, and the fault maps it
/// afterwards.
///
/// (`truncate_count` is there, and keeps truncate and fault apart.)
#[derive(Debug)]
pub struct Unprotected;

impl Policy for Unprotected {
    const NAME: &'static str = "Unprotected";

    type Attempt<'a> = ();
    type Exclusion<'a> = ();
    type Section<'a> = ();

    fn new() -> Self {
        Unprotected
    }

    fn begin(&self, _index: u64, _deadline: Option<Instant>) -> Result<(), Refusal> {
        Ok(())
    }

    fn exclude(&self) {}

    fn section(&self, _index: u64) {}
}
