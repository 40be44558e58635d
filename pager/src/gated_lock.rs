//! A lock with a gate: what our two policies are made of.

use seqschedlock::{Conflict, Park, RawSeqSchedLock, Stamp, WriteGuard};
use std::sync::PoisonError;

use crate::sync::{Mutex, MutexGuard};

/// A [`RawSeqSchedLock`] whose sections begin in a gate, a small mutex that is never held while they run.
///
/// What is published inside the gate, validated there, cannot be overtaken: no section begins between the
/// validation and the publication. So nothing stale is ever visible, and nothing has to be taken back. And
/// a reader that has lost too often keeps the gate while it loads: the sections that run end, none begins, and
/// it gets through.
///
/// Sections end outside the gate. One that begins sections on several of these locks begins them in one fixed
/// order: a reader may keep any of the gates, and waits there for sections that have begun.
#[derive(Debug)]
pub struct GatedLock {
    gate: Mutex<()>,
    lock: RawSeqSchedLock<Park>,
}

impl GatedLock {
    /// A lock at rest.
    #[must_use]
    pub fn new() -> Self {
        Self {
            gate: Mutex::new(()),
            lock: RawSeqSchedLock::new(),
        }
    }

    /// Begins a section. Waits for those in the gate, which is for a load if one of them is
    /// [alone](Self::alone).
    pub fn write(&self) -> WriteGuard<'_, Park> {
        let _gate = self.pass();
        self.lock.write()
    }

    /// Begins a read section when no write section runs.
    pub fn read_begin_wait(&self) -> Stamp {
        self.lock.read_begin_wait()
    }

    /// Validates what was looked at.
    ///
    /// # Errors
    ///
    /// The conflict that was met.
    pub fn read_end(&self, stamp: Stamp) -> Result<(), Conflict> {
        self.lock.read_end(stamp)
    }

    /// Validates what was published, outside the gate.
    ///
    /// # Errors
    ///
    /// The conflict that was met: take back what was published.
    pub fn read_commit(&self, stamp: Stamp) -> Result<(), Conflict> {
        self.lock.read_commit(stamp)
    }

    /// Validates and publishes, both in the gate.
    ///
    /// `read_end` is enough: a section that began before was in the gate before, and one that begins after
    /// finds all that `publish` has done.
    ///
    /// # Errors
    ///
    /// The conflict that was met. Nothing has been published then.
    pub fn publish<R>(&self, stamp: Stamp, publish: impl FnOnce() -> R) -> Result<R, Conflict> {
        let _gate = self.pass();
        self.lock.read_end(stamp)?;
        Ok(publish())
    }

    /// Does something while no section runs and none begins. Waits for those that run.
    pub fn alone<R>(&self, act: impl FnOnce() -> R) -> R {
        let _gate = self.pass();
        // A stamp will not do: with the split word it may be older than sections that have ended, and what
        // they wrote not be visible yet. Validated it says that none runs, and shows what all of them wrote.
        self.lock.read(|| ());
        act()
    }

    fn pass(&self) -> MutexGuard<'_, ()> {
        // The gate guards no data that a panic could have left in pieces.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for GatedLock {
    fn default() -> Self {
        Self::new()
    }
}
