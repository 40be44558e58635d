//! What the models have in common: a process with a ring, and a count of executions.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::{
    MREMAP_FIXED, MREMAP_MAYMOVE, Mm, PAGE_SIZE, Rules, Steps, Version, Violation,
};
use std::sync::Arc;

use crate::explore::{explore_all, explore_to};

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

/// One kind of violation is not there, whatever others are. The first one that is found ends a model, so
/// each takes a model of its own.
pub fn must_not_be(process: &Mm, kind: fn(&Violation) -> bool) {
    let violations = process.check().err().unwrap_or_default();
    if let Some(violation) = violations.into_iter().find(kind) {
        panic!("{violation}");
    }
}

/// Explores up to three preemptions.
pub fn explore(program: impl Fn() + Sync + Send + 'static) {
    let count = Count::new("bound 3");
    let executions = Arc::clone(&count.executions);
    explore_to(3, move || {
        executions.fetch_add(1, Relaxed);
        program();
    });
}

/// Explores everything.
pub fn explore_unbounded(program: impl Fn() + Sync + Send + 'static) {
    let count = Count::new("unbounded");
    let executions = Arc::clone(&count.executions);
    explore_all(move || {
        executions.fetch_add(1, Relaxed);
        program();
    });
}

/// Tells at its end, whichever it is, how many executions a model took.
struct Count {
    bound: &'static str,
    executions: Arc<AtomicU64>,
    began: Instant,
}

impl Count {
    fn new(bound: &'static str) -> Self {
        Self {
            bound,
            executions: Arc::default(),
            began: Instant::now(),
        }
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        let thread = std::thread::current();
        eprintln!(
            "{}: {} executions, {:.2} s, {}",
            thread.name().unwrap_or("a model"),
            self.executions.load(Relaxed),
            self.began.elapsed().as_secs_f64(),
            self.bound,
        );
    }
}
