//! What only `Park` can do: wait with a bound, and be awaited.

#[cfg(feature = "std")]
use {core::time::Duration, std::time::Instant};

use super::RawSeqSchedLock;
#[cfg(feature = "std")]
use crate::conflict::Stamp;
use crate::wait::Park;
#[cfg(feature = "std")]
use crate::wait::Writers;

#[cfg(feature = "std")]
impl RawSeqSchedLock<Park> {
    /// As [`read_begin_wait`](Self::read_begin_wait), but gives up after `timeout`.
    ///
    /// A zero timeout answers at once; a positive one is waited out in full. A timeout too long for
    /// the clock is no timeout. A wait that was given up leaves nothing behind.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use seqschedlock::{Park, RawSeqSchedLock};
    ///
    /// let lock = RawSeqSchedLock::<Park>::new();
    /// let section = lock.write();
    /// assert_eq!(lock.read_begin_timeout(Duration::from_millis(1)), None);
    /// drop(section);
    /// assert!(lock.read_begin_timeout(Duration::ZERO).is_some());
    /// ```
    #[must_use]
    pub fn read_begin_timeout(&self, timeout: Duration) -> Option<Stamp> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.read_begin_deadline(deadline),
            None => Some(self.read_begin_wait()),
        }
    }

    /// As [`read_begin_wait`](Self::read_begin_wait), but gives up at `deadline`.
    ///
    /// A deadline that has passed answers at once.
    #[must_use]
    pub fn read_begin_deadline(&self, deadline: Instant) -> Option<Stamp> {
        loop {
            if let Ok(stamp) = self.read_begin() {
                return Some(stamp);
            }
            if !self.wait.wait_until(&Writers::new(&self.word), deadline) {
                // The last look: the writers may have left while the wait was being given up.
                return self.read_begin().ok();
            }
        }
    }
}
