//! How a waker gets an iocb to run again: `aio_wake_function`, `kick_iocb`.

use std::sync::Arc;

use super::iocb::{Kiocb, WaitQueue};
use super::queue::Waiters;
use super::violation::Violation;

impl WaitQueue {
    /// Makes the condition true and wakes everybody who waits for it: `wake_up`. It may be called from an
    /// interrupt. It holds the lock of the queue throughout, and no reference to any iocb.
    pub fn wake_up(&self) {
        let mut waiters = self.lock();
        self.fulfil(&waiters);
        for iocb in waiters.clone() {
            wake(&iocb, &mut waiters);
        }
    }
}

/// `aio_wake_function`.
fn wake(iocb: &Arc<Kiocb>, waiters: &mut Waiters<'_, Kiocb>) {
    match iocb.is_sync() {
        true => wake_sync(iocb, waiters),
        false => wake_async(iocb, waiters),
    }
}

fn wake_async(iocb: &Arc<Kiocb>, waiters: &mut Waiters<'_, Kiocb>) {
    // Nothing keeps the iocb or its context alive from here on, unless the version sees to that.
    let context = &iocb.context;
    let version = context.version;

    if !version.deletes_inside {
        iocb.unlink(waiters);
        context.pause();
    }
    let was_kicked = (!version.kicks_inside).then(|| iocb.try_kick());
    if !version.deletes_inside {
        if was_kicked == Some(true) {
            return;
        }
        check_not_waiting(iocb);
    }
    context.pause();
    let mut held = context.lock();
    if version.deletes_inside {
        iocb.unlink(waiters);
        context.pause();
    }
    let was_kicked = was_kicked.unwrap_or_else(|| iocb.try_kick());
    context.pause();
    let queued = !was_kicked && iocb.queue(&mut held);
    if queued && version.starts_work_inside {
        context.start_work();
    }
    drop(held);
    context.pause();
    if queued && !version.starts_work_inside {
        context.start_work();
    }
}

/// `WARN_ON` in 2005, `BUG_ON` in 2.6.14.
pub(super) fn check_not_waiting(iocb: &Kiocb) {
    if iocb.is_linked() {
        iocb.context.report(Violation::KickedWhileWaiting);
    }
}

/// A synchronous iocb is never on a run list: its task runs it.
fn wake_sync(iocb: &Kiocb, waiters: &mut Waiters<'_, Kiocb>) {
    iocb.unlink(waiters);
    let first = iocb.context.version.reads_task_first;
    let task = first.then(|| iocb.task());
    iocb.set_kicked(true);
    iocb.context.pause();
    if let Some(task) = task.unwrap_or_else(|| iocb.task()) {
        task.wake_up();
    }
}
