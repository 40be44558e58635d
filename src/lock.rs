//! Data stored with its lock: readers and writers both get `&T`.

use core::fmt;
use core::ops::Deref;

use crate::conflict::Conflict;
use crate::raw::{RawSeqSchedLock, WriteGuard};
use crate::sync::const_fn;
use crate::wait::Wait;

/// A value that tolerates races, and the lock that says afterwards whether there was one.
///
/// Readers and writers both get `&T`, at the same time: `T` is made of atomics, concurrent maps, or
/// locks of its own. The lock makes several reads of it count as one. It is a [`RawSeqSchedLock`] that
/// gives access to its data only inside a section. All guarantees are those of that type.
///
/// # When to use it and when not
///
/// Use it if the lock and the data have the same lifetime. If the data is plain and is
/// replaced as a whole, use `SeqSchedCell`, where `T` needs no atomics. If the data is elsewhere
/// (a file, a remote cache), use [`RawSeqSchedLock`] or
/// [`StripedSeqSchedLock`](crate::StripedSeqSchedLock).
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// use seqschedlock::{SeqSchedLock, Spin};
///
/// #[derive(Default)]
/// struct Totals {
///     requests: AtomicU64,
///     bytes: AtomicU64,
/// }
///
/// let totals = SeqSchedLock::<Totals, Spin>::default();
///
/// let section = totals.write();
/// section.requests.fetch_add(1, Relaxed); // readers may see this change
/// section.bytes.fetch_add(512, Relaxed);  // without this one, but they are told
/// drop(section);
///
/// let (requests, bytes) = totals.read(|now| (now.requests.load(Relaxed), now.bytes.load(Relaxed)));
/// assert_eq!(bytes, requests * 512);
/// ```
///
/// A type that cannot be shared between threads cannot be shared in this lock either:
///
/// ```compile_fail,E0277
/// use std::cell::Cell;
/// use seqschedlock::{SeqSchedLock, Spin};
///
/// static LOCK: SeqSchedLock<Cell<u32>, Spin> = SeqSchedLock::new(Cell::new(0));
/// ```
pub struct SeqSchedLock<T: ?Sized, W> {
    lock: RawSeqSchedLock<W>,
    data: T,
}

impl<T: Sync, W: Wait> SeqSchedLock<T, W> {
    const_fn! {
        /// A new lock around `data`.
        #[inline]
        #[must_use]
        pub const fn new(data: T) -> Self {
            Self { lock: RawSeqSchedLock::new(), data }
        }
    }

    /// The data, without the lock.
    #[inline]
    #[must_use = "drop the lock if the data is not wanted"]
    pub fn into_inner(self) -> T {
        self.data
    }
}

impl<T: ?Sized + Sync, W: Wait> SeqSchedLock<T, W> {
    /// Looks until the result is valid: see [`RawSeqSchedLock::read`].
    ///
    /// Everything that `look` read was valid together when it was checked. If `look` returns a reference into the
    /// data, what you read through it afterwards has not been checked.
    #[inline]
    pub fn read<'a, R>(&'a self, mut look: impl FnMut(&'a T) -> R) -> R {
        self.lock.read(|| look(&self.data))
    }

    /// Looks once: see [`RawSeqSchedLock::try_read`].
    ///
    /// # Errors
    ///
    /// The [`Conflict`] that was met. If a write section runs already, `look` is not called.
    #[inline]
    pub fn try_read<'a, R>(&'a self, look: impl FnOnce(&'a T) -> R) -> Result<R, Conflict> {
        self.lock.try_read(|| look(&self.data))
    }

    /// Publishes until the commit succeeds: see [`RawSeqSchedLock::publish`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// use seqschedlock::{SeqSchedLock, Spin};
    ///
    /// const EMPTY: u32 = u32::MAX;
    ///
    /// let slots = SeqSchedLock::<_, Spin>::new([const { AtomicU32::new(EMPTY) }; 4]);
    /// let load = |index: usize| index as u32 * 10; // slow, from the source
    ///
    /// let value = slots.publish(
    ///     |slots| {
    ///         let value = load(3);
    ///         slots[3].store(value, Relaxed);
    ///         value
    ///     },
    ///     // Only our own value. An equal value of another reader goes too, which costs it a load.
    ///     |slots, ours| {
    ///         let _ = slots[3].compare_exchange(ours, EMPTY, Relaxed, Relaxed);
    ///     },
    /// );
    /// assert_eq!(value, 30);
    /// ```
    #[inline]
    pub fn publish<'a, P>(
        &'a self,
        mut attempt: impl FnMut(&'a T) -> P,
        mut retract: impl FnMut(&'a T, P),
    ) -> P {
        self.lock.publish(
            || attempt(&self.data),
            |published| retract(&self.data, published),
        )
    }

    /// Publishes once: see [`RawSeqSchedLock::try_publish`].
    ///
    /// # Errors
    ///
    /// The [`Conflict`] that was met. If a write section runs already, `attempt` is not called.
    #[inline]
    pub fn try_publish<'a, P>(
        &'a self,
        attempt: impl FnOnce(&'a T) -> P,
        retract: impl FnOnce(&'a T, P),
    ) -> Result<P, Conflict> {
        self.lock.try_publish(
            || attempt(&self.data),
            |published| retract(&self.data, published),
        )
    }

    /// Begins a write section: see [`RawSeqSchedLock::write`]. The guard dereferences to the data.
    ///
    /// It gives `&T` and never `&mut T`: readers still read the data, and other writers may be in
    /// sections of their own.
    ///
    /// # Panics
    ///
    /// If 524 288 write sections already run on this lock. The lock is left unchanged.
    #[inline]
    pub fn write(&self) -> SeqSchedLockWriteGuard<'_, T, W> {
        SeqSchedLockWriteGuard {
            section: self.lock.write(),
            data: &self.data,
        }
    }

    /// Begins a write section unless there are too many already: see [`RawSeqSchedLock::try_write`].
    #[inline]
    pub fn try_write(&self) -> Option<SeqSchedLockWriteGuard<'_, T, W>> {
        Some(SeqSchedLockWriteGuard {
            section: self.lock.try_write()?,
            data: &self.data,
        })
    }

    /// The lock without the data: to take a stamp by hand, wait with a deadline, or await.
    ///
    /// # Examples
    ///
    /// Taking a stamp and checking it by hand:
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    /// use seqschedlock::{Conflict, SeqSchedLock, Spin};
    ///
    /// let lock = SeqSchedLock::<_, Spin>::new([AtomicU32::new(1), AtomicU32::new(1)]);
    /// let stamp = lock.raw().read_begin()?;
    /// let one = lock.unvalidated()[0].load(Relaxed);
    /// let other = lock.unvalidated()[1].load(Relaxed);
    /// lock.raw().read_end(stamp)?;
    /// assert_eq!(one, other);
    /// # Ok::<(), Conflict>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn raw(&self) -> &RawSeqSchedLock<W> {
        &self.lock
    }

    /// The data, outside any section: for callers that keep a stamp of [`raw`](Self::raw) themselves.
    ///
    /// What is read this way proves nothing until that stamp has been checked.
    #[inline]
    #[must_use]
    pub fn unvalidated(&self) -> &T {
        &self.data
    }

    /// Exclusive access to the data: nobody else can reach it during the borrow.
    ///
    /// Counts as a write section, because stamps outlive a borrow: older stamps are no longer valid.
    ///
    /// # Panics
    ///
    /// If 524 288 write sections already run on this lock, that is, if their guards were forgotten.
    #[inline]
    #[must_use]
    pub fn get_mut(&mut self) -> &mut T {
        // The section may end before the data changes: no stamp can be taken during the borrow.
        drop(self.lock.write());
        &mut self.data
    }
}

impl<T: Sync + Default, W: Wait> Default for SeqSchedLock<T, W> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Sync, W: Wait> From<T> for SeqSchedLock<T, W> {
    fn from(data: T) -> Self {
        Self::new(data)
    }
}

/// Prints the state of the lock and the data as it is, valid or not. Never blocks.
impl<T: ?Sized + fmt::Debug, W> fmt::Debug for SeqSchedLock<T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeqSchedLock")
            .field("lock", &self.lock)
            .field("data", &&self.data)
            .finish()
    }
}

/// A running write section on a [`SeqSchedLock`]. Dropping the guard ends the section.
///
/// As [`WriteGuard`], and dereferences to the data. It never gives `&mut T`:
///
/// ```compile_fail,E0596
/// use std::sync::atomic::AtomicU32;
/// use seqschedlock::{SeqSchedLock, Spin};
///
/// let lock = SeqSchedLock::<_, Spin>::new(AtomicU32::new(0));
/// let mut section = lock.write();
/// *section.get_mut() = 1; // use `section.store(1, ...)`: readers still read it
/// ```
#[must_use = "the write section ends when the guard is dropped, here at once"]
pub struct SeqSchedLockWriteGuard<'a, T: ?Sized, W: Wait> {
    section: WriteGuard<'a, W>,
    data: &'a T,
}

impl<T: ?Sized, W: Wait> SeqSchedLockWriteGuard<'_, T, W> {
    /// Ends the section as one that changed nothing: see [`WriteGuard::cancel`].
    ///
    /// It hides a method of the same name on `T`: call that one as `(*guard).cancel()`.
    pub fn cancel(self) {
        self.section.cancel();
    }
}

impl<T: ?Sized, W: Wait> Deref for SeqSchedLockWriteGuard<'_, T, W> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.data
    }
}

impl<T: ?Sized + fmt::Debug, W: Wait> fmt::Debug for SeqSchedLockWriteGuard<'_, T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeqSchedLockWriteGuard")
            .field("section", &self.section)
            .field("data", &self.data)
            .finish()
    }
}
