//! How far a model is explored.

use loom::model::Builder;

/// Three preemptions: enough for all but one of the weakened twins to be caught.
pub fn explore(program: impl Fn() + Sync + Send + 'static) {
    explore_to(3, program);
}

/// At most this many preemptions.
pub fn explore_to(preemptions: usize, program: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(program);
}

/// Every interleaving. Only for the smallest programs.
pub fn explore_all(program: impl Fn() + Sync + Send + 'static) {
    Builder::new().check(program);
}
