//! What only `Park` can do: wait for a turn with a deadline, and await it.

#[cfg(all(feature = "std", not(target_family = "wasm")))]
use {core::time::Duration, std::time::Instant};

use bytemuck::NoUninit;

use super::{SeqSchedCell, SeqSchedCellGuard, Work};
use crate::wait::Park;

/// # Deadlines
///
/// These need threads and a clock: the feature `std`, and a target other than WebAssembly.
#[cfg(all(feature = "std", not(target_family = "wasm")))]
impl<T: NoUninit> SeqSchedCell<T, Park> {
    /// As [`lock`](Self::lock), but gives up after `timeout`.
    ///
    /// A zero timeout returns at once; a positive one is waited out in full. A timeout too long for the clock
    /// means no timeout. A wait that is given up leaves nothing behind.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use seqschedlock::{Park, SeqSchedCell};
    ///
    /// let cell = SeqSchedCell::<u64, Park>::new(1);
    /// let first = cell.lock();
    /// assert!(cell.lock_timeout(Duration::from_millis(1)).is_none());
    /// drop(first);
    /// assert!(cell.lock_timeout(Duration::ZERO).is_some());
    /// ```
    #[must_use = "the copy is published when the guard is dropped, here at once"]
    pub fn lock_timeout(&self, timeout: Duration) -> Option<SeqSchedCellGuard<'_, T, Park>> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.lock_deadline(deadline),
            None => Some(self.lock()),
        }
    }

    /// As [`lock`](Self::lock), but gives up at `deadline`.
    ///
    /// If the deadline has already passed, it returns at once.
    #[must_use = "the copy is published when the guard is dropped, here at once"]
    pub fn lock_deadline(&self, deadline: Instant) -> Option<SeqSchedCellGuard<'_, T, Park>> {
        let turn = self.turns.lock_deadline(deadline)?;
        Some(SeqSchedCellGuard::new(Work { cell: self, turn }))
    }
}

/// # Awaiting
///
/// This needs no particular runtime, and no `std`.
impl<T: NoUninit> SeqSchedCell<T, Park> {
    /// As [`lock`](Self::lock), but awaits the turn: use this one in a task.
    ///
    /// The guard may be held across an `.await`. Tasks that await their turn do not block their thread. A future that
    /// is dropped leaves nothing behind; if it was next in line, the one behind it is woken. One that has been woken,
    /// and is kept without being polled or dropped, holds up those behind it.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use seqschedlock::{Park, SeqSchedCell};
    ///
    /// # async fn next(step: u64) -> u64 { step + 1 }
    /// let cell = SeqSchedCell::<[u64; 2], Park>::new([1, 1]);
    ///
    /// let mut pair = cell.lock_async().await;
    /// pair[0] = next(pair[0]).await; // readers get [1, 1] meanwhile
    /// pair[1] = next(pair[1]).await;
    /// drop(pair);
    /// assert_eq!(cell.load(), [2, 2]);
    /// # }
    /// ```
    pub async fn lock_async(&self) -> SeqSchedCellGuard<'_, T, Park> {
        let turn = self.turns.lock_async().await;
        SeqSchedCellGuard::new(Work { cell: self, turn })
    }
}
