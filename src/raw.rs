//! The lock itself, without data: sections to begin and end, a publication to validate.

#[cfg(feature = "park")]
mod park;

use core::fmt;

use crate::conflict::{Conflict, Stamp};
use crate::sync::{const_fn, wait_init};
use crate::wait::{Wait, Writers};
use crate::word::{MAX_WRITERS, Word};

/// A sequence lock whose write sections may sleep and overlap, without data of its own.
///
/// # The idiom
///
/// ```
/// # use seqschedlock::{Conflict, RawSeqSchedLock, Spin};
/// # let lock = RawSeqSchedLock::<Spin>::new();
/// # let (look, publish, retract) = (|| 7, |_: u32| (), || ());
/// let stamp = lock.read_begin()?;      // 1. before anything is looked at
/// let found = look();                  // 2. may take long, may see anything
/// publish(found);                      // 3. visible to others, provisionally
/// if lock.read_commit(stamp).is_err() {
///     retract();                       // 4. a writer ran or still runs: take it back
/// }
/// # Ok::<(), Conflict>(())
/// ```
///
/// and on the other side
///
/// ```
/// # use seqschedlock::{RawSeqSchedLock, Spin};
/// # let lock = RawSeqSchedLock::<Spin>::new();
/// # let (change_the_source, remove_what_was_published) = (|| (), || ());
/// let section = lock.write();          // before anything changes
/// remove_what_was_published();         // sees every publication that was committed before
/// change_the_source();                 // may sleep, may take long, may fail
/// drop(section);                       // not before both are done
/// ```
///
/// [`publish`](Self::publish) does the first in one call. [`read`](Self::read) is the form for readers that
/// only look.
///
/// # What is guaranteed
///
/// - **Observe.** If [`read_end`](Self::read_end) is `Ok`, no write section overlapped the read
///   section: what was read is as if no writer had run. (Sections that were
///   [cancelled](WriteGuard::cancel) do not count: they changed nothing.)
/// - **Publish.** If a reader makes something visible and then [`read_commit`](Self::read_commit) is
///   `Ok`, every write section that did not end before the read section began sees it.
/// - Write sections never wait, neither for readers nor for one another. (The last one out wakes the
///   waiting readers; `Park` says what that costs.)
/// - With a strategy that blocks (`Park`, or your own), a waiting reader is woken by the last writer out. `Spin` and
///   `Yield` look for themselves.
///
/// The protected data must itself tolerate the race: atomics, concurrent maps, files. The lock says
/// afterwards whether a look was valid; it does not stop anyone from looking.
/// ([Memory orderings](crate::memory_ordering) has the argument for all this and names the models that check it.)
///
/// # Waiting
///
/// `W` says [how a reader waits](Wait). Only the methods that say so wait; a check never does. Never wait
/// while holding something that a writer needs in order to finish: [using it right](crate#using-it-right).
///
/// # Layout
///
/// `repr(C)`, with the state word first. With [`Spin`](crate::Spin) or `Yield`, which have no size, the
/// lock has the size, alignment and layout of the word alone: 8 bytes, all zero when new. It may be placed
/// in memory shared between processes: zeroed memory is a new lock. All of them must use the same version of
/// this crate with the same word, because the bits are not part of the API. A process that dies inside a
/// section leaves it running: see [`end_abandoned`](RawSeqSchedLock::end_abandoned). (A lock with `Park` has a
/// queue in one process, and cannot be shared in this way.)
///
/// Readers also work where that memory is mapped read-only, on current targets with 64-bit pointers or with
/// the split word. The language does not promise this: it does so for relaxed loads, and these are acquire loads.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
/// use seqschedlock::{Conflict, RawSeqSchedLock, Spin};
///
/// static LOCK: RawSeqSchedLock<Spin> = RawSeqSchedLock::new();
/// static SIDE: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];
///
/// let square = LOCK.write();
/// for side in &SIDE {
///     side.store(3, Relaxed);
/// }
/// assert_eq!(LOCK.try_read(|| ()), Err(Conflict::WriterRunning));
/// drop(square);
///
/// // Both sides are from the same square, even if another thread draws the next one meanwhile.
/// let [a, b] = LOCK.read(|| [SIDE[0].load(Relaxed), SIDE[1].load(Relaxed)]);
/// assert_eq!(a, b);
/// ```
///
/// # Source
///
/// `seqschedlock_t` from Andrea Arcangeli's patch of 13 December 2005 for the race between
/// `invalidate_inode_pages2()` and `do_no_page()`, with the defects listed in
/// `docs/memory-ordering.md` fixed.
#[repr(C)]
pub struct RawSeqSchedLock<W> {
    word: Word,
    wait: W,
}

impl<W: Wait> RawSeqSchedLock<W> {
    const_fn! {
        /// A new lock, at rest.
        #[inline]
        #[must_use]
        pub const fn new() -> Self {
            Self { word: Word::new(), wait: wait_init!(use W) }
        }
    }

    const_fn! {
        /// A new lock with a strategy that has state of its own.
        ///
        /// # Examples
        ///
        /// ```
        /// use std::time::Duration;
        /// use seqschedlock::{RawSeqSchedLock, Wait, Writers};
        ///
        /// /// Readers nap.
        /// struct Nap(Duration);
        ///
        /// impl Wait for Nap {
        ///     const INIT: Self = Nap(Duration::from_micros(100));
        ///
        ///     fn wait(&self, writers: &Writers<'_>) {
        ///         while writers.running() {
        ///             std::thread::sleep(self.0);
        ///         }
        ///     }
        /// }
        ///
        /// static SLOW: RawSeqSchedLock<Nap> = RawSeqSchedLock::with_wait(Nap(Duration::from_millis(5)));
        /// assert_eq!(SLOW.wait_strategy().0, Duration::from_millis(5));
        /// ```
        #[inline]
        #[must_use]
        pub const fn with_wait(wait: W) -> Self {
            Self { word: Word::new(), wait }
        }
    }

    /// Begins a read section. Never waits.
    ///
    /// Take the stamp *before* the source is consulted: one taken afterwards vouches for nothing.
    /// A read section need not be ended: check the stamp once, several times, or never.
    ///
    /// Ordering: acquire. What ended write sections wrote is visible after this call.
    ///
    /// # Errors
    ///
    /// [`Conflict::WriterRunning`] if a write section runs.
    #[inline]
    pub fn read_begin(&self) -> Result<Stamp, Conflict> {
        self.word.begin()
    }

    /// Validates what was looked at since `stamp` was taken. Never waits.
    ///
    /// `Ok` means that no write section has run since. It says nothing about what the caller has
    /// *written* meanwhile: that is what [`read_commit`](Self::read_commit) is for.
    ///
    /// Ordering: an acquire fence. Reads *on this thread* before the call stay before it. If
    /// another thread looked, use [`read_commit`](Self::read_commit).
    ///
    /// # Errors
    ///
    /// [`Conflict::WriterRunning`] if a write section runs, [`Conflict::Race`] if one ran.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqschedlock::{Conflict, RawSeqSchedLock, Spin};
    ///
    /// let lock = RawSeqSchedLock::<Spin>::new();
    /// let stamp = lock.read_begin()?;
    /// assert_eq!(lock.read_end(stamp), Ok(()));
    ///
    /// let section = lock.write();
    /// assert_eq!(lock.read_end(stamp), Err(Conflict::WriterRunning));
    /// drop(section);
    /// assert_eq!(lock.read_end(stamp), Err(Conflict::Race)); // and so for ever
    /// # Ok::<(), Conflict>(())
    /// ```
    #[inline]
    pub fn read_end(&self, stamp: Stamp) -> Result<(), Conflict> {
        self.word.end(stamp)
    }

    /// Validates what was published since `stamp` was taken. Never waits.
    ///
    /// If it is `Ok`, every write section that did not end before the stamp was taken sees what the
    /// caller made visible before this call. If it is an error, take that back. It also validates what
    /// was looked at: there is no need to call [`read_end`](Self::read_end) first.
    ///
    /// Ordering: a sequentially consistent fence. Publishing may be a relaxed store. What other threads
    /// did counts too, if it happened before this call.
    ///
    /// # Errors
    ///
    /// [`Conflict::WriterRunning`] if a write section runs, [`Conflict::Race`] if one ran.
    #[inline]
    pub fn read_commit(&self, stamp: Stamp) -> Result<(), Conflict> {
        self.word.commit(stamp)
    }

    /// Begins a read section when no write section runs; until then waits as `W` says.
    ///
    /// A reader inside its own write section waits for ever, and so does a reader that holds something a
    /// writer needs in order to finish ([using it right](crate#using-it-right)).
    ///
    /// # Panics
    ///
    /// Only if `W` does.
    #[inline]
    pub fn read_begin_wait(&self) -> Stamp {
        match self.read_begin() {
            Ok(stamp) => stamp,
            Err(_) => self.wait_for_writers(),
        }
    }

    #[cold]
    #[inline(never)]
    fn wait_for_writers(&self) -> Stamp {
        loop {
            self.wait.wait(&Writers::new(&self.word));
            if let Ok(stamp) = self.read_begin() {
                return stamp;
            }
        }
    }

    /// Looks once: runs `look` in a read section and returns what it found if that was valid.
    ///
    /// # Errors
    ///
    /// The [`Conflict`] that was met. If a write section runs already, `look` is not called.
    ///
    /// # Examples
    ///
    /// Bounded attempts: bypass the cache after three conflicts.
    ///
    /// ```
    /// # use seqschedlock::{RawSeqSchedLock, Spin};
    /// # let lock = RawSeqSchedLock::<Spin>::new();
    /// # let (look, ask_the_source) = (|| 7, || 7);
    /// let value = (0..3)
    ///     .find_map(|_| lock.try_read(look).ok())
    ///     .unwrap_or_else(ask_the_source);
    /// # assert_eq!(value, 7);
    /// ```
    #[inline]
    pub fn try_read<R>(&self, look: impl FnOnce() -> R) -> Result<R, Conflict> {
        let stamp = self.read_begin()?;
        let found = look();
        self.read_end(stamp)?;
        Ok(found)
    }

    /// Looks until the result is valid: runs `look` again after every conflict, waiting as `W` says.
    ///
    /// The result of a failed look is dropped. Writers are never held up, so enough of them can
    /// keep a reader from ever getting through; use [`try_read`](Self::try_read) to bound that. Called
    /// inside the caller's own write section, it waits for ever.
    ///
    /// Ordering: as [`read_begin`](Self::read_begin) and [`read_end`](Self::read_end).
    ///
    /// # Panics
    ///
    /// Only if `look` or `W` does.
    #[inline]
    pub fn read<R>(&self, mut look: impl FnMut() -> R) -> R {
        loop {
            let stamp = self.read_begin_wait();
            let found = look();
            if self.read_end(stamp).is_ok() {
                return found;
            }
        }
    }

    /// Publishes once: runs `attempt`, which looks and makes the result visible, then validates.
    ///
    /// `attempt` returns what `retract` needs in order to find what was published. On a conflict `retract`
    /// takes it back: exactly what this attempt published, not something newer that has replaced it.
    /// Until then others can find it, and it may be stale. If it must never be a hit, publish it
    /// closed and open it after success, or validate inside a lock of your own that writers take after
    /// [`write`](Self::write).
    ///
    /// If `attempt` panics, nothing is retracted: make publishing its last step.
    ///
    /// # Errors
    ///
    /// The [`Conflict`] that was met. If a write section runs already, `attempt` is not called.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{collections::HashMap, sync::{Arc, Mutex}};
    /// use seqschedlock::{RawSeqSchedLock, Spin};
    ///
    /// let lock = RawSeqSchedLock::<Spin>::new();
    /// let cache = Mutex::new(HashMap::new());
    /// let load = |key: u32| Arc::new(key * 2); // slow, from the source
    ///
    /// let value = lock.try_publish(
    ///     || {
    ///         let value = load(21);
    ///         cache.lock().unwrap().insert(21, Arc::clone(&value));
    ///         value
    ///     },
    ///     |ours| {
    ///         let mut cache = cache.lock().unwrap();
    ///         if cache.get(&21).is_some_and(|there| Arc::ptr_eq(there, &ours)) {
    ///             cache.remove(&21);
    ///         }
    ///     },
    /// )?;
    /// assert_eq!(*value, 42);
    /// # Ok::<(), seqschedlock::Conflict>(())
    /// ```
    #[inline]
    pub fn try_publish<P>(
        &self,
        attempt: impl FnOnce() -> P,
        retract: impl FnOnce(P),
    ) -> Result<P, Conflict> {
        let stamp = self.read_begin()?;
        self.commit_or_retract(stamp, attempt(), retract)
    }

    /// Publishes until the commit succeeds: runs `attempt` again after every conflict, waiting as `W` says.
    ///
    /// Otherwise as [`try_publish`](Self::try_publish). Called inside the caller's own write section, it waits
    /// for ever.
    ///
    /// Do not use it around a cache that runs one load for many waiters (`get_with` and the like). The stamp is then
    /// the caller's, and says nothing about the load that the caller joins: that load may have begun before an update
    /// that the stamp counts. There the stamp belongs inside the load: see [`Fenced`](crate::Fenced).
    ///
    /// Ordering: as [`read_begin`](Self::read_begin) and [`read_commit`](Self::read_commit).
    ///
    /// # Panics
    ///
    /// Only if `attempt`, `retract` or `W` does.
    #[inline]
    pub fn publish<P>(&self, mut attempt: impl FnMut() -> P, mut retract: impl FnMut(P)) -> P {
        loop {
            let stamp = self.read_begin_wait();
            if let Ok(published) = self.commit_or_retract(stamp, attempt(), &mut retract) {
                return published;
            }
        }
    }

    #[inline]
    fn commit_or_retract<P>(
        &self,
        stamp: Stamp,
        published: P,
        retract: impl FnOnce(P),
    ) -> Result<P, Conflict> {
        match self.read_commit(stamp) {
            Ok(()) => Ok(published),
            Err(conflict) => {
                retract(published);
                Err(conflict)
            }
        }
    }

    /// Begins a write section. Never waits, neither for readers nor for other writers.
    ///
    /// The section lasts until the guard is dropped, wherever and however that happens: it may
    /// sleep, cross an `.await`, move to another thread, or unwind. Begin it before the source
    /// changes and end it when nothing stale can be seen any more. Ending it does not invalidate anything:
    /// remove what was published first, then change the source, so that a section that is cut short leaves
    /// nothing stale behind. If the change may still take effect later, hold the section until the
    /// outcome is known ([using it right](crate#using-it-right)).
    ///
    /// Writers do not exclude one another. If they must, take a lock of your own inside the section.
    ///
    /// Ordering: a full fence. What committed readers published is visible after this call.
    ///
    /// # Panics
    ///
    /// If 524 288 write sections already run on this lock. The lock is left unchanged.
    #[inline]
    pub fn write(&self) -> WriteGuard<'_, W> {
        match self.try_write() {
            Some(guard) => guard,
            None => too_many(),
        }
    }

    /// Begins a write section unless there are too many already. Never waits.
    ///
    /// Otherwise as [`write`](Self::write). `None` means that 524 288 write sections run on this lock, which is
    /// its limit: some code forgets guards, or does not bound its work.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqschedlock::{RawSeqSchedLock, Spin};
    ///
    /// let lock = RawSeqSchedLock::<Spin>::new();
    /// let section = lock.try_write().ok_or("too many updates at a time; try again later")?;
    /// # drop(section);
    /// # Ok::<(), &str>(())
    /// ```
    #[inline]
    pub fn try_write(&self) -> Option<WriteGuard<'_, W>> {
        let room = self.word.enter();
        let guard = WriteGuard { lock: self };
        if room { Some(guard) } else { refuse(guard) }
    }

    /// Ends the sections that nobody will end any more, and returns how many there were.
    ///
    /// A guard that was forgotten, or a process that died inside a section on a lock in shared memory, leaves the lock
    /// with a writer for ever. This method counts all running sections as ended: readers that overlapped them race,
    /// and waiting readers are woken. Do not zero such a word instead: the sequence would start over, and older stamps
    /// could be taken for fresh.
    ///
    /// The caller vouches that none of these sections still has an owner. If one does, it is ended twice, the writer
    /// count is wrong, and the lock is useless from then on. Two callers at the same time do no harm. Changes that the
    /// sections left unfinished stay unfinished.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqschedlock::{Conflict, RawSeqSchedLock, Spin};
    ///
    /// let lock = RawSeqSchedLock::<Spin>::new();
    /// let stamp = lock.read_begin()?;
    /// std::mem::forget(lock.write());
    /// assert_eq!(lock.end_abandoned(), 1);
    /// assert_eq!(lock.read_end(stamp), Err(Conflict::Race));
    /// assert!(lock.read_begin().is_ok());
    /// # Ok::<(), Conflict>(())
    /// ```
    pub fn end_abandoned(&self) -> usize {
        let mut ended = 0;
        while let Some(asked) = self.word.exit_one() {
            ended += 1;
            self.answer(asked);
        }
        ended
    }

    /// Wakes the readers that asked the last writer out for it.
    #[inline]
    fn answer(&self, asked: bool) {
        if W::WAKES && asked {
            self.word.answer(|| self.wait.wake());
        }
    }

    /// How many write sections run: a hint, out of date as soon as it is read.
    #[must_use]
    pub fn writers(&self) -> usize {
        self.word.writers() as usize
    }

    /// The waiting strategy of this lock, in case it has state of its own.
    #[must_use]
    pub fn wait_strategy(&self) -> &W {
        &self.wait
    }
}

/// Counts out the writer that was one too many.
#[cold]
fn refuse<'a, W: Wait>(guard: WriteGuard<'a, W>) -> Option<WriteGuard<'a, W>> {
    guard.cancel();
    None
}

#[cold]
fn too_many() -> ! {
    panic!("seqschedlock: more than {MAX_WRITERS} write sections at a time on one lock")
}

impl<W: Wait> Default for RawSeqSchedLock<W> {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints how many sections run and how many have ended. Never blocks.
impl<W> fmt::Debug for RawSeqSchedLock<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawSeqSchedLock")
            .field("writers", &self.word.writers())
            .field("sequence", &self.word.sequence())
            .finish_non_exhaustive()
    }
}

/// A running write section. Dropping the guard ends the section.
///
/// The section ends on every path, a panic and a dropped future included. A reader that raced with a section
/// that failed halfway gets a conflict, as with any other section. What was published before and has not been
/// removed stays, and no reader learns of that: remove first. The guard may be moved to another thread and shared.
///
/// Ordering: beginning is a full fence, ending releases what was written. One thing belongs to the thread
/// and not to the guard. What a section stores *on another thread than the one that began it*, say after
/// an `.await`, must be a release store, or be behind a lock, or be read only by readers that check with
/// [`read_commit`](RawSeqSchedLock::read_commit). Nothing that [`read_end`](RawSeqSchedLock::read_end) sees
/// ties a relaxed store there to the beginning of the section.
///
/// Forgetting the guard ([`core::mem::forget`]) is safe, but the section never ends: every check returns
/// [`Conflict::WriterRunning`] from then on, and waiting readers wait for ever.
#[must_use = "the write section ends when the guard is dropped, here at once"]
pub struct WriteGuard<'a, W: Wait> {
    lock: &'a RawSeqSchedLock<W>,
}

impl<W: Wait> WriteGuard<'_, W> {
    /// Ends the section as one that changed nothing: readers that overlapped it do not race.
    ///
    /// "Nothing" means that no reader could have seen a difference at any moment. Do not cancel after changing
    /// something and restoring it: a reader that saw the difference in between would be told that all is well.
    /// Nor is it enough to have found nothing to *remove* if the source has changed: a fill that will insert the
    /// old value may be under way.
    ///
    /// # Examples
    ///
    /// ```
    /// # use seqschedlock::{Conflict, RawSeqSchedLock, Spin};
    /// # let lock = RawSeqSchedLock::<Spin>::new();
    /// # let (may_change, remove_the_entry, change_the_source) = (|| false, || (), || ());
    /// let stamp = lock.read_begin()?;
    /// let section = lock.write();
    /// if may_change() {
    ///     remove_the_entry();
    ///     change_the_source();
    ///     drop(section);
    /// } else {
    ///     section.cancel(); // nothing was touched
    /// }
    /// assert_eq!(lock.read_end(stamp), Ok(()));
    /// # Ok::<(), Conflict>(())
    /// ```
    ///
    /// Cancelling consumes the guard:
    ///
    /// ```compile_fail,E0382
    /// # let lock = seqschedlock::RawSeqSchedLock::<seqschedlock::Spin>::new();
    /// let section = lock.write();
    /// section.cancel();
    /// drop(section);
    /// ```
    pub fn cancel(self) {
        let lock = self.lock;
        core::mem::forget(self);
        lock.answer(lock.word.cancel());
    }
}

impl<W: Wait> Drop for WriteGuard<'_, W> {
    #[inline]
    fn drop(&mut self) {
        // The lock is still used after the section has been counted out, when others may see no writers.
        // The guard's borrow keeps it alive until the answer.
        self.lock.answer(self.lock.word.exit());
    }
}

impl<W: Wait> fmt::Debug for WriteGuard<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WriteGuard").field(self.lock).finish()
    }
}

#[cfg(test)]
impl<W: Wait> RawSeqSchedLock<W> {
    /// A lock at rest whose sequence has `left` sections to go before it wraps.
    pub(crate) fn before_wrap(left: u32) -> Self {
        Self {
            word: Word::before_wrap(left.into()),
            wait: wait_init!(use W),
        }
    }
}

#[cfg(test)]
mod tests;
