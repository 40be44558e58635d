//! What the iocbs and the context report to.

use std::sync::Arc;

use super::violation::Violation;
use crate::aio::findings::Findings;
use crate::aio::lifetime::Alive;
use crate::aio::lockdep::Lockdep;

#[derive(Debug, Default)]
pub(super) struct Witness {
    pub(super) lockdep: Arc<Lockdep>,
    pub(super) findings: Findings<Violation>,
    pub(super) iocbs: Alive,
    pub(super) contexts: Alive,
}
