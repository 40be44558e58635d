//! A lock that one thread or task holds at a time; the others wait for their turn as a strategy says. Writers of a cell
//! take turns with it, and so do those that pass a gate.

use crate::sync::{const_fn, wait_init};
#[cfg(feature = "park")]
use crate::wait::Internal;
use crate::wait::{Wait, Writers};
use crate::word::cell::{CellWord, Turn};

/// The word that counts the turns, and the strategy that waits for them.
pub(crate) struct TurnLock<W> {
    pub(crate) word: CellWord,
    pub(crate) wait: W,
}

impl<W: Wait> TurnLock<W> {
    const_fn! {
        #[inline]
        pub(crate) const fn new() -> Self {
            Self { word: CellWord::new(), wait: wait_init!(use W) }
        }
    }

    /// Takes a turn that lasts until it is dropped. Waits as `W` says.
    #[inline]
    pub(crate) fn lock(&self) -> Taken<'_, W> {
        let turn = match self.word.take_turn() {
            Some(turn) => turn,
            None => self.wait_for_turn(),
        };
        Taken { lock: self, turn }
    }

    /// As [`lock`](Self::lock), but does not wait.
    #[inline]
    pub(crate) fn try_lock(&self) -> Option<Taken<'_, W>> {
        let turn = self.word.take_turn()?;
        Some(Taken { lock: self, turn })
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn wait_for_turn(&self) -> Turn {
        #[cfg(feature = "park")]
        if let Some(park) = self.wait.lines_writers_up(Internal) {
            return park.take_turn(&self.word);
        }
        loop {
            self.wait.wait(&Writers::new(&self.word.turn()));
            if let Some(turn) = self.word.take_turn() {
                return turn;
            }
        }
    }

    /// Wakes the waiters for the end of a turn, or of the copy in it.
    #[cold]
    pub(crate) fn wake(&self) {
        #[cfg(feature = "park")]
        if let Some(park) = self.wait.lines_writers_up(Internal) {
            return park.wake_turn(&self.word);
        }
        self.wait.wake();
    }
}

#[cfg(feature = "park")]
impl TurnLock<crate::wait::Park> {
    /// As [`lock`](Self::lock), but awaits the turn. Dropping the future leaves nothing behind.
    pub(crate) async fn lock_async(&self) -> Taken<'_, crate::wait::Park> {
        let turn = self.wait.take_turn_async(&self.word).await;
        Taken { lock: self, turn }
    }

    /// As [`lock`](Self::lock), but `None` if `deadline` passes first.
    #[cfg(all(feature = "std", feature = "cell", not(target_family = "wasm")))]
    pub(crate) fn lock_deadline(
        &self,
        deadline: std::time::Instant,
    ) -> Option<Taken<'_, crate::wait::Park>> {
        let turn = self.word.take_turn();
        let turn = turn.or_else(|| self.wait.take_turn_until(&self.word, Some(deadline)))?;
        Some(Taken { lock: self, turn })
    }
}

/// A turn, given up when dropped.
#[must_use = "the turn is given up when this is dropped, here at once"]
pub(crate) struct Taken<'a, W: Wait> {
    lock: &'a TurnLock<W>,
    turn: Turn,
}

#[cfg(feature = "cell")]
impl<W: Wait> Taken<'_, W> {
    #[inline]
    pub(crate) fn turn(&self) -> &Turn {
        &self.turn
    }

    /// The turn, for a caller that ends it in another way.
    #[inline]
    pub(crate) fn into_turn(self) -> Turn {
        core::mem::ManuallyDrop::new(self).turn
    }
}

impl<W: Wait> Drop for Taken<'_, W> {
    #[inline]
    fn drop(&mut self) {
        if self.lock.word.give_up(self.turn, W::WAKES) {
            self.lock.wake();
        }
    }
}
