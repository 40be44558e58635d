//! A writer's turn, and the copy that it works on during it.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};

use bytemuck::NoUninit;

use super::SeqSchedCell;
use crate::turn_lock::Taken;
use crate::wait::Wait;

/// A turn at a cell.
pub(super) struct Work<'a, T, W: Wait> {
    pub(super) cell: &'a SeqSchedCell<T, W>,
    pub(super) turn: Taken<'a, W>,
}

impl<T: NoUninit, W: Wait> Work<'_, T, W> {
    #[inline]
    pub(super) fn copy(&self) -> T {
        self.cell.own(self.turn.turn())
    }

    #[inline]
    pub(super) fn publish(self, value: T) {
        let Work { cell, turn } = self;
        // Before anything else: if a panic in `wake` dropped it, that would end the turn of the next writer.
        let turn = turn.into_turn();
        cell.enter(turn);
        cell.put(&value);
        cell.leave(turn);
    }
}

/// A writer's private copy of the value in a [`SeqSchedCell`]. Dropping it copies it back.
///
/// It does so on every path: at the end of the scope, on an early return by `?`, when a panic unwinds, and when
/// a future that holds it is dropped. Work that stopped halfway is then published halfway. If that can
/// happen, use a [`draft`](Self::draft) or [`update`](SeqSchedCell::update):
///
/// | | publishes | throws away |
/// |---|---|---|
/// | [`SeqSchedCellGuard`] | when dropped, however that happens | [`discard`](Self::discard) |
/// | [`SeqSchedCellDraft`] | [`commit`](SeqSchedCellDraft::commit) | when dropped, however that happens |
/// | [`update`](SeqSchedCell::update) | when the closure returns | if it panics |
///
/// Forgetting the guard is safe, but keeps the turn for ever: readers get the old value, and writers wait.
#[must_use = "the copy is published when the guard is dropped, here at once"]
pub struct SeqSchedCellGuard<'a, T: NoUninit, W: Wait> {
    draft: ManuallyDrop<SeqSchedCellDraft<'a, T, W>>,
}

impl<'a, T: NoUninit, W: Wait> SeqSchedCellGuard<'a, T, W> {
    #[inline]
    pub(super) fn new(work: Work<'a, T, W>) -> Self {
        let copy = work.copy();
        let draft = ManuallyDrop::new(SeqSchedCellDraft { copy, work });
        Self { draft }
    }

    /// Makes publishing explicit: the copy is thrown away unless it is
    /// [committed](SeqSchedCellDraft::commit).
    ///
    /// It hides a method of the same name on `T`: call that one as `(*guard).draft()`.
    ///
    /// # Examples
    ///
    /// Work that may fail halfway:
    ///
    /// ```
    /// use seqschedlock::{SeqSchedCell, Spin};
    ///
    /// static RANGE: SeqSchedCell<[u32; 2], Spin> = SeqSchedCell::new([0, 10]);
    ///
    /// fn set(from: &str, to: &str) -> Result<(), std::num::ParseIntError> {
    ///     let mut range = RANGE.lock().draft();
    ///     range[0] = from.parse()?;
    ///     range[1] = to.parse()?; // an error here leaves the range as it was
    ///     range.commit();
    ///     Ok(())
    /// }
    ///
    /// assert!(set("20", "thirty").is_err());
    /// assert_eq!(RANGE.load(), [0, 10]);
    /// assert!(set("20", "30").is_ok());
    /// assert_eq!(RANGE.load(), [20, 30]);
    /// ```
    #[inline]
    pub fn draft(self) -> SeqSchedCellDraft<'a, T, W> {
        let mut guard = ManuallyDrop::new(self);
        // SAFETY: the guard is not dropped and not used again.
        unsafe { ManuallyDrop::take(&mut guard.draft) }
    }

    /// Throws the copy away: the cell stays as it was, and no reader notices.
    ///
    /// It hides a method of the same name on `T`: call that one as `(*guard).discard()`.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqschedlock::{SeqSchedCell, Spin};
    ///
    /// let cell = SeqSchedCell::<u32, Spin>::new(1);
    /// let mut next = cell.lock();
    /// *next = 2;
    /// next.discard();
    /// assert_eq!(cell.load(), 1);
    /// ```
    #[inline]
    pub fn discard(self) {
        drop(self.draft());
    }
}

impl<T: NoUninit, W: Wait> Drop for SeqSchedCellGuard<'_, T, W> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the guard is being dropped, so the draft is not taken again.
        unsafe { ManuallyDrop::take(&mut self.draft) }.commit();
    }
}

impl<T: NoUninit, W: Wait> Deref for SeqSchedCellGuard<'_, T, W> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.draft.copy
    }
}

impl<T: NoUninit, W: Wait> DerefMut for SeqSchedCellGuard<'_, T, W> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.draft.copy
    }
}

impl<T: NoUninit + fmt::Debug, W: Wait> fmt::Debug for SeqSchedCellGuard<'_, T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SeqSchedCellGuard")
            .field(&self.draft.copy)
            .finish()
    }
}

/// A writer's private copy of the value in a [`SeqSchedCell`]. Dropping it throws it away.
///
/// Made by [`SeqSchedCellGuard::draft`]. The turn lasts until the draft is committed or dropped.
#[must_use = "the copy is thrown away when the draft is dropped, here at once"]
pub struct SeqSchedCellDraft<'a, T: NoUninit, W: Wait> {
    copy: T,
    work: Work<'a, T, W>,
}

impl<T: NoUninit, W: Wait> SeqSchedCellDraft<'_, T, W> {
    /// Copies the draft back: readers get the new value from now on.
    ///
    /// It hides a method of the same name on `T`: call that one as `(*draft).commit()`.
    #[inline]
    pub fn commit(self) {
        self.work.publish(self.copy);
    }
}

impl<T: NoUninit, W: Wait> Deref for SeqSchedCellDraft<'_, T, W> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.copy
    }
}

impl<T: NoUninit, W: Wait> DerefMut for SeqSchedCellDraft<'_, T, W> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.copy
    }
}

impl<T: NoUninit + fmt::Debug, W: Wait> fmt::Debug for SeqSchedCellDraft<'_, T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SeqSchedCellDraft")
            .field(&self.copy)
            .finish()
    }
}
