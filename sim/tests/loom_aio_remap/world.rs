//! What the models have in common: a process with a ring.

use std::sync::Arc;

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::{
    MREMAP_FIXED, MREMAP_MAYMOVE, Mm, PAGE_SIZE, Rules, Steps, Version, Violation,
};

use crate::counted;

/// Where rings are moved to.
pub const NEW: u64 = 0x1000_0000;
pub const ELSEWHERE: u64 = 0x2000_0000;

/// The rules of a version without one of its steps.
pub fn without(version: Version, leave_out: impl FnOnce(&mut Steps)) -> Rules {
    let mut rules = version.rules();
    leave_out(&mut rules.steps);
    rules
}

/// A process with one ring, and where that lies.
pub fn process(rules: Rules) -> (Arc<Mm>, u64) {
    let process = Mm::new(rules);
    let ring = process.io_setup(1).unwrap();
    (Arc::new(process), ring)
}

pub fn move_ring(process: &Mm, from: u64, to: u64) -> Result<u64, Errno> {
    process.mremap(
        from,
        PAGE_SIZE,
        PAGE_SIZE,
        MREMAP_MAYMOVE | MREMAP_FIXED,
        to,
    )
}

/// Every invariant holds.
pub fn must_hold(process: &Mm) {
    if let Err(violations) = process.check() {
        panic!("{}", violations[0]);
    }
}

/// One kind of violation does not occur, whatever else does. The first one found ends a model, so each
/// kind needs a model of its own.
pub fn must_not_be(process: &Mm, kind: fn(&Violation) -> bool) {
    let violations = process.check().err().unwrap_or_default();
    if let Some(violation) = violations.into_iter().find(kind) {
        panic!("{violation}");
    }
}

/// Explores up to three preemptions.
pub fn explore(program: impl Fn() + Sync + Send + 'static) {
    counted::explore(Some(3), program);
}

/// Explores everything.
pub fn explore_unbounded(program: impl Fn() + Sync + Send + 'static) {
    counted::explore(None, program);
}
