//! Threads that start together, or not at all.

use std::fmt::Display;
use std::panic;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::ALLOCATOR;

/// A thread here keeps one page on its stack and calls nothing deep. The default of 2 MiB is too much where
/// memory is limited and there are hundreds of threads.
const STACK: usize = 256 << 10;

/// What must be left for a thread besides its stack. A C library that cannot allocate the few bytes of a thread-local
/// destructor aborts the process.
const SPARE: usize = 4 << 20;

/// Where threads wait until all of them are there.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: usize,
    /// Whether there is work to do.
    settled: Option<bool>,
}

impl Gate {
    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed
            .wait_while(state, |state| condition(state))
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.wait_while(|_| false));
        self.changed.notify_all();
    }

    /// Waits at the gate; `true` if there is work to do.
    fn pass(&self) -> bool {
        self.change(|state| state.waiting += 1);
        self.wait_while(|state| state.settled.is_none()).settled == Some(true)
    }

    /// Lets everybody through, to work or to go home. The first call decides.
    fn settle(&self, work: bool) {
        self.change(|state| state.settled = state.settled.or(Some(work)));
    }
}

/// Threads that wait at a gate.
#[derive(Debug)]
pub struct Crew<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    gate: &'scope Gate,
    hired: usize,
}

impl<'scope, 'env> Crew<'scope, 'env> {
    pub fn new(scope: &'scope Scope<'scope, 'env>, gate: &'scope Gate) -> Self {
        let hired = 0;
        Self { scope, gate, hired }
    }

    /// Adds a thread. It does `work` when the crew starts, and returns `None` if that never happens.
    ///
    /// # Errors
    ///
    /// One line that says why there cannot be so many threads.
    pub fn hire<T: Send + 'scope>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'scope,
    ) -> Result<ScopedJoinHandle<'scope, Option<T>>, String> {
        let gate = self.gate;
        let too_many = |error: &dyn Display| {
            format!(
                "cannot start more than {} threads at once: {error}",
                self.hired
            )
        };
        let room = Vec::<u8>::new().try_reserve_exact(STACK + SPARE);
        room.map_err(|error| too_many(&error))?;
        // Before a thread runs the standard library allocates a signal stack for it, and panics if it cannot.
        let usual = panic::take_hook();
        panic::set_hook(Box::new(|_| ALLOCATOR.give_up()));
        let thread = Builder::new()
            .stack_size(STACK)
            .spawn_scoped(self.scope, move || gate.pass().then(work))
            .map_err(|error| too_many(&error));
        if thread.is_ok() {
            self.hired += 1;
            drop(gate.wait_while(|state| state.waiting < self.hired));
        }
        panic::set_hook(usual);
        thread
    }

    /// Opens the gate. A crew that is dropped before that goes home.
    pub fn start(self) {
        self.gate.settle(true);
    }
}

impl Drop for Crew<'_, '_> {
    fn drop(&mut self) {
        self.gate.settle(false);
    }
}
