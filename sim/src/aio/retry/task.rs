//! A task that sleeps until a synchronous request can go on.

use std::sync::Arc;

use crate::locks::{lock, wait};
use crate::sync::{Condvar, Mutex};

/// A task that may sleep: `struct task_struct`.
#[derive(Clone, Debug)]
pub(super) struct Task(Arc<State>);

#[derive(Debug)]
struct State {
    /// `TASK_UNINTERRUPTIBLE`, not `TASK_RUNNING`.
    about_to_sleep: Mutex<bool>,
    running: Condvar,
}

impl Task {
    pub(super) fn new() -> Self {
        Self(Arc::new(State {
            about_to_sleep: Mutex::new(false),
            running: Condvar::new(),
        }))
    }

    /// `set_current_state`: a wake-up that comes from now on keeps the task from sleeping.
    pub(super) fn set_about_to_sleep(&self, about_to_sleep: bool) {
        *lock(&self.0.about_to_sleep) = about_to_sleep;
    }

    /// `schedule`.
    pub(super) fn sleep(&self) {
        let mut about_to_sleep = lock(&self.0.about_to_sleep);
        while *about_to_sleep {
            about_to_sleep = wait(&self.0.running, about_to_sleep);
        }
    }

    /// `wake_up_process`.
    pub(super) fn wake_up(&self) {
        self.set_about_to_sleep(false);
        self.0.running.notify_one();
    }
}
