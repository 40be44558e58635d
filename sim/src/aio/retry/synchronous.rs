//! Synchronous requests: `do_sync_read` and the like.
//!
//! They are retried, too, by the task that waits for them. It has the iocb on its stack.

use std::sync::Arc;

use super::iocb::{Kiocb, Kioctx, RetryMethod};
use super::run::{Retried, retry_alone};
use super::task::Task;

impl Kioctx {
    /// Runs a request until it ends, and sleeps in between. The result.
    ///
    /// One that is queued for somebody else to complete makes no sense here and counts as ended.
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

/// The state first, then the look: a kick that comes in between keeps the task from sleeping.
fn wait_on_retry_sync_kiocb(iocb: &Kiocb, task: &Task) {
    task.set_about_to_sleep(true);
    match iocb.is_kicked() {
        true => iocb.set_kicked(false),
        false => task.sleep(),
    }
    task.set_about_to_sleep(false);
}
