//! A lock with a gate: the building block of `Gate` and `Closed`.

use seqschedlock::{Conflict, Park, RawSeqSchedLock, Stamp, WriteGuard};
use std::sync::PoisonError;

use crate::sync::{Mutex, MutexGuard};

/// A [`RawSeqSchedLock`] whose sections begin in a gate: a small mutex that is not held while they run.
///
/// A reader validates and publishes inside the gate. No section can begin between the two, so nothing stale
/// is ever visible and nothing has to be retracted. A reader that has lost too often keeps the gate while
/// it loads. The running sections end, no other begins, and the reader gets through.
///
/// Sections end outside the gate. A writer that begins sections on several locks must begin them in one
/// fixed order, the same for all writers. A reader may keep one of the gates, and waits there until the
/// sections that have begun end; in a fixed order, they can.
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

    /// Begins a section. Waits for the gate: briefly, or for a load if a reader is [alone](Self::alone) in it.
    pub fn write(&self) -> WriteGuard<'_, Park> {
        let _gate = self.pass();
        self.lock.write()
    }

    /// Begins a read section when no write section runs.
    pub fn read_begin_wait(&self) -> Stamp {
        self.lock.read_begin_wait()
    }

    /// Validates a read section.
    ///
    /// # Errors
    ///
    /// The conflict that was met.
    pub fn read_end(&self, stamp: Stamp) -> Result<(), Conflict> {
        self.lock.read_end(stamp)
    }

    /// Validates a publication that was made outside the gate.
    ///
    /// # Errors
    ///
    /// The conflict that was met. The caller must retract the publication.
    pub fn read_commit(&self, stamp: Stamp) -> Result<(), Conflict> {
        self.lock.read_commit(stamp)
    }

    /// Validates, then publishes, both inside the gate.
    ///
    /// `read_end` is enough here. The mutex orders this call with the beginning of every section: the
    /// validation sees the sections that began before, and those that begin later see the publication.
    ///
    /// # Errors
    ///
    /// The conflict that was met. `publish` has not been called.
    pub fn publish<R>(&self, stamp: Stamp, publish: impl FnOnce() -> R) -> Result<R, Conflict> {
        let _gate = self.pass();
        self.lock.read_end(stamp)?;
        Ok(publish())
    }

    /// Calls `act` while no section runs and none can begin. Waits for the running ones first.
    pub fn alone<R>(&self, act: impl FnOnce() -> R) -> R {
        let _gate = self.pass();
        // An unvalidated stamp is not enough. With the split word `read_begin` may return one that is older
        // than a section that has ended, and that section's writes need not be visible. A validated read
        // has seen them.
        self.lock.read(|| ());
        act()
    }

    fn pass(&self) -> MutexGuard<'_, ()> {
        // The gate guards no data, so a panic inside it has broken nothing.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for GatedLock {
    fn default() -> Self {
        Self::new()
    }
}
