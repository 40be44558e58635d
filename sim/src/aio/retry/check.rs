//! What must hold for a context whenever nothing happens to its requests.

use std::collections::BTreeMap;

use super::iocb::{Kiocb, Kioctx};
use super::violation::Violation;

#[cfg(test)]
mod tests;

impl Kioctx {
    /// The violations that were reported so far, and how often.
    #[must_use]
    pub fn findings(&self) -> BTreeMap<Violation, u64> {
        self.witness.findings.counts()
    }

    /// Checks every invariant at rest: while nobody is waking, running or cancelling an iocb, and all work
    /// that was started has been done.
    ///
    /// # Errors
    ///
    /// Everything that is wrong now or was reported before.
    pub fn check(&self) -> Result<(), Vec<Violation>> {
        let mut wrong: Vec<_> = self.findings().into_keys().collect();
        let lockdep = &self.witness.lockdep;
        wrong.extend(lockdep.circle().map(Violation::LockCircle));
        wrong.extend(lockdep.held().map(|class| Violation::LockLeft { class }));

        // The checker may look at a context that has been freed.
        let held = self.lock_freed();
        if !held.run_list.is_empty() && !self.is_work_started() {
            wrong.push(Violation::QueuedWithoutWork);
        }
        let active = held.active.clone();
        drop(held);
        for iocb in &active {
            self.check_iocb(iocb, &mut wrong);
        }
        let iocbs = self.witness.iocbs.count().saturating_sub(active.len());
        if iocbs != 0 {
            wrong.push(Violation::IocbsAlive { iocbs });
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong),
        }
    }

    /// An iocb that is still active has to wait for something, or be completed by somebody else.
    fn check_iocb(&self, iocb: &Kiocb, wrong: &mut Vec<Violation>) {
        let number = iocb.number();
        if iocb.is_completed() {
            let users = iocb.users(&self.lock_freed());
            wrong.push(Violation::Users {
                iocb: number,
                users,
            });
        } else if !iocb.is_queued_elsewhere() && !iocb.waits() {
            wrong.push(Violation::WakeupLost { iocb: number });
        }
    }
}
