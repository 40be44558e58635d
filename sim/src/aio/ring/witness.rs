//! What the pages, files and contexts of one process report to.

use std::sync::Arc;

use super::violation::Violation;
use crate::aio::findings::Findings;
use crate::aio::lifetime::Alive;
use crate::aio::lockdep::Lockdep;

#[derive(Debug)]
pub(super) struct Witness {
    between_steps: fn(),
    pub(super) lockdep: Arc<Lockdep>,
    pub(super) findings: Findings<Violation>,
    pub(super) pages: Alive,
    pub(super) contexts: Alive,
    /// Files whose `private_data` is a context.
    pub(super) private_data: Alive,
}

impl Witness {
    pub(super) fn new(between_steps: fn()) -> Self {
        Self {
            between_steps,
            lockdep: Arc::default(),
            findings: Findings::default(),
            pages: Alive::default(),
            contexts: Alive::default(),
            private_data: Alive::default(),
        }
    }

    /// A place where the program may interrupt the thread.
    pub(super) fn pause(&self) {
        (self.between_steps)();
    }

    pub(super) fn report(&self, violation: Violation) {
        self.findings.report(violation);
    }
}
