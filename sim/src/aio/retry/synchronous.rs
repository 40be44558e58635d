//! Synchronous requests: `do_sync_read` and the like.
//!
//! They are retried, too, by the task that waits for them. The iocb is on its stack.

use std::sync::Arc;

use super::iocb::{Kiocb, Kioctx, RetryMethod};
use super::run::{Retried, retry_alone};
use super::task::Task;

impl Kioctx {
    /// Runs a request until it ends, sleeping in between, and returns its result.
    ///
    /// A request that somebody else is to complete makes no sense here and counts as ended.
    pub fn do_sync(self: &Arc<Self>, method: RetryMethod) -> i64 {
        let task = Task::new();
        let iocb = Kiocb::new(0, self, method, Some(task.clone()));
        let result = loop {
            match retry_alone(&iocb) {
                Retried::Retry => wait_on_retry_sync_kiocb(&iocb, &task),
                Retried::Done(result) => break result,
                Retried::Queued => break 0,
            }
        };
        iocb.free();
        result
    }
}

/// The state is set before the look, so a kick that comes in between keeps the task from sleeping.
fn wait_on_retry_sync_kiocb(iocb: &Kiocb, task: &Task) {
    task.set_about_to_sleep(true);
    match iocb.is_kicked() {
        true => iocb.set_kicked(false),
        false => task.sleep(),
    }
    task.set_about_to_sleep(false);
}
