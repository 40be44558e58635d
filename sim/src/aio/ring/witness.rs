//! What the pages, files and contexts of one process report to.

use std::sync::Arc;

use super::violation::Violation;
use crate::aio::findings::Findings;
use crate::aio::lifetime::Alive;
use crate::aio::lockdep::Lockdep;

#[derive(Debug, Default)]
pub(super) struct Witness {
    pub(super) lockdep: Arc<Lockdep>,
    pub(super) findings: Findings<Violation>,
    pub(super) pages: Alive,
    pub(super) contexts: Alive,
    /// Files whose `private_data` is a context.
    pub(super) private_data: Alive,
}

impl Witness {
    pub(super) fn report(&self, violation: Violation) {
        self.findings.report(violation);
    }
}
