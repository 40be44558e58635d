//! Exploring a model, and telling how many executions that took. `-- --nocapture` shows it.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Instant;

use crate::explore::{explore_all, explore_to};

/// Explores a program with a bound on preemptions, or without.
pub fn explore(preemptions: Option<usize>, program: impl Fn() + Sync + Send + 'static) {
    let count = Count {
        preemptions,
        executions: Arc::default(),
        began: Instant::now(),
    };
    let executions = Arc::clone(&count.executions);
    let counted = move || {
        executions.fetch_add(1, Relaxed);
        program();
    };
    match preemptions {
        Some(preemptions) => explore_to(preemptions, counted),
        None => explore_all(counted),
    }
}

/// Tells at its end, whichever it is.
struct Count {
    preemptions: Option<usize>,
    executions: Arc<AtomicU64>,
    began: Instant,
}

impl Drop for Count {
    fn drop(&mut self) {
        let bound = match self.preemptions {
            Some(preemptions) => format!("bound {preemptions}"),
            None => "unbounded".to_owned(),
        };
        eprintln!(
            "{}: {} executions, {:.2} s, {bound}",
            std::thread::current().name().unwrap_or("a model"),
            self.executions.load(Relaxed),
            self.began.elapsed().as_secs_f64(),
        );
    }
}
