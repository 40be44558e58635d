//! How far a model is explored, and its threads.
//!
//! Everything that a model looks at happens on spawned threads, and the main thread only joins them:
//! loom does not explore schedules in which the main thread begins last.
#![allow(dead_code, reason = "not every program of models takes all of it")]

use loom::model::Builder;
use loom::sync::Arc;
use loom::thread::{self, JoinHandle};

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

/// Runs `part` on a thread, with the state that all threads share.
pub fn spawn<T: Send + Sync + 'static, R: 'static>(
    shared: &Arc<T>,
    part: impl FnOnce(&T) -> R + Send + 'static,
) -> JoinHandle<R> {
    let shared = Arc::clone(shared);
    thread::spawn(move || part(&shared))
}

pub fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}
