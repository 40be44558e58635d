//! How iocbs run: `aio_run_iocb`, `io_submit_one`, `aio_kick_handler`, `io_cancel`.

use std::sync::Arc;

// From `core` also under loom: see `iocb.rs`.
use core::sync::atomic::Ordering::Relaxed;

use super::iocb::{Entry, Kiocb, Kioctx, Locked, RetryMethod};
use super::method::{End, Looks};
use super::version::RunnerLook;
use super::violation::Violation;
use crate::aio::errno::Errno;

/// The result of a request that was cancelled.
pub const INTERRUPTED: i64 = -4;

/// What a retry method returns.
pub(super) enum Retried {
    /// `EIOCBRETRY`.
    Retry,
    /// `EIOCBQUEUED`.
    Queued,
    Done(i64),
}

impl Kioctx {
    /// Begins a request and runs it, and then whatever is on the run list: `io_submit`.
    pub fn io_submit(self: &Arc<Self>, method: RetryMethod) -> Arc<Kiocb> {
        let mut held = self.lock();
        held.requests += 1;
        let iocb = Kiocb::new(held.requests, self, method, None);
        held.active.push(Arc::clone(&iocb));
        let held = self.run(&iocb, held);
        let mut held = self.drain(held);
        iocb.put(&mut held);
        drop(held);
        iocb
    }

    /// What the work queue does: runs what is on the run list.
    pub fn work(&self) {
        self.begin_work();
        drop(self.drain(self.lock()));
    }

    /// Cancels a request: `io_cancel`. It ends with `EINTR` when it next runs; `callback` has to make that
    /// happen.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if it has ended.
    pub fn io_cancel(&self, iocb: &Arc<Kiocb>, callback: impl FnOnce()) -> Result<(), Errno> {
        let held = self.lock();
        if !held.active.iter().any(|other| Arc::ptr_eq(other, iocb)) || iocb.is_completed() {
            return Err(Errno::Invalid);
        }
        iocb.set_cancelled(&held);
        iocb.get(&held);
        drop(held);
        callback();
        iocb.put(&mut self.lock());
        Ok(())
    }

    /// `__aio_run_iocbs`, until the run list is empty.
    fn drain<'a>(&'a self, mut held: Locked<'a>) -> Locked<'a> {
        while let Some(iocb) = held.run_list.pop_front() {
            iocb.get(&held);
            held = self.run(&iocb, held);
            iocb.put(&mut held);
        }
        held
    }

    /// `aio_run_iocb`, with `ctx_lock` at its beginning and at its end.
    fn run<'a>(&'a self, iocb: &Arc<Kiocb>, held: Locked<'a>) -> Locked<'a> {
        let version = self.version;
        if iocb.too_many_retries(&held) {
            return held; // EAGAIN: the iocb is forgotten
        }
        // A waker that comes from now on is remembered, but cannot queue the iocb.
        iocb.set_kicked(false);
        let entry = match version.shut_out {
            true => Entry::Running,
            false => Entry::Idle,
        };
        iocb.set_entry(entry, &held);
        drop(held);

        let retried = retry_alone(iocb);
        self.pause();
        match retried {
            Retried::Retry => {
                if version.look == RunnerLook::Outside && !iocb.is_linked() {
                    iocb.set_kicked(true);
                }
            }
            Retried::Queued => iocb.set_queued_elsewhere(),
            Retried::Done(result) => {
                if iocb.is_linked() {
                    self.report(Violation::CompletedWhileWaiting);
                }
                iocb.complete(result);
            }
        }

        let mut held = self.lock();
        if let Retried::Retry = retried {
            if version.look == RunnerLook::Inside && !iocb.is_linked() {
                iocb.set_kicked(true);
            }
            iocb.set_entry(Entry::Idle, &held);
            if version.asks_kicked && iocb.is_kicked() && iocb.queue(&mut held) {
                self.start_work();
            }
        }
        held
    }
}

impl Kiocb {
    /// Ends a request that returned `EIOCBQUEUED`: `aio_complete`, called by whoever does the work.
    pub fn complete_elsewhere(&self, result: i64) {
        self.complete(result);
    }
}

/// Runs the retry method, and checks whether it should be run at all.
pub(super) fn retry_alone(iocb: &Arc<Kiocb>) -> Retried {
    let context = &iocb.context;
    iocb.begin_retry();
    if iocb.is_linked() {
        context.report(match iocb.method.looks {
            Looks::Once => Violation::RetryWhileWaiting,
            Looks::Twice => Violation::SpuriousRetry,
        });
    }
    let retried = match iocb.is_cancelled() {
        true => Retried::Done(INTERRUPTED),
        false => retry(iocb),
    };
    iocb.end_retry();
    retried
}

/// The retry method.
fn retry(iocb: &Arc<Kiocb>) -> Retried {
    let method = &iocb.method;
    let next = || iocb.progress.fetch_add(1, Relaxed);
    if iocb.progress.load(Relaxed) < method.short {
        next();
        return Retried::Retry;
    }
    while let Some(queue) = method.waits.get(iocb.progress.load(Relaxed) - method.short) {
        match method.looks {
            Looks::Once => {
                let mut waiters = queue.lock();
                next();
                if !queue.condition() {
                    iocb.link(&mut waiters);
                    return Retried::Retry;
                }
            }
            Looks::Twice => {
                // `prepare_to_wait`.
                let mut waiters = queue.lock();
                if !iocb.is_linked() {
                    iocb.link(&mut waiters);
                }
                drop(waiters);
                iocb.context.pause();
                if !queue.condition() {
                    return Retried::Retry;
                }
                // `finish_wait`, which takes the lock only if there is something to delete.
                if iocb.is_linked() {
                    iocb.unlink(&mut queue.lock());
                }
                next();
            }
        }
    }
    match method.end {
        End::Done(result) => Retried::Done(result),
        End::Queued => Retried::Queued,
    }
}
