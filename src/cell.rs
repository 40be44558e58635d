//! Plain data in whole values: readers copy it out, one writer at a time copies it back.

use core::fmt;
use core::ops::{Deref, DerefMut};

use bytemuck::NoUninit;

use crate::conflict::Conflict;
use crate::sync::{Racing, const_fn, wait_init};
use crate::wait::{Wait, Writers};
use crate::word::cell::{CellWord, Turn};

/// A plain value that is read and replaced as a whole.
///
/// Readers take a copy and never hold anybody up, nor write shared memory. Writers take turns. A
/// writer that needs time works on a copy of its own ([`lock`](Self::lock), [`update`](Self::update)),
/// and readers go on getting the old value; it is in their way only while the finished value is
/// copied back, which is a few instructions.
///
/// # When to use it and when not
///
/// Use it for data of some ten to some hundred bytes that is read much more often than written: a
/// configuration, a position, a clock's parameters. If the parts change one by one and tolerate
/// races, take [`SeqSchedLock`](crate::SeqSchedLock). If `T` owns memory, or is large, take a lock or
/// an `Arc` that is swapped.
///
/// # What `T` must be
///
/// [`bytemuck::NoUninit`]: `Copy`, without padding, pointers or interior mutability. Padding has no
/// defined value, so it cannot be copied while it changes; derive the trait (`cargo add bytemuck --features
/// derive`; a struct needs `repr(C)` or `repr(transparent)`, an enum `repr(u8)` or the like), and what has a gap
/// does not compile. It need not be valid for *any* bytes: what a reader copied while a writer
/// was at work stays raw memory and is thrown away. Only bytes that are known to be one
/// whole value ever become a `T`. So `bool`, `char`, `NonZero` and enums are all right.
///
/// # What is guaranteed
///
/// - A value that is read was stored as a whole, and everything that its writer did before storing
///   it is visible to the reader.
/// - A reader that waits, waits for the end of a copy; a writer that waits, for the end of another's
///   turn. Both are woken then.
/// - Nothing is fair: writers that keep copying back can keep a reader from ever getting through
///   ([`try_load`](Self::try_load) bounds that), and one another too.
///
/// `W` says how both [wait](Wait). Where `Park` waits for another writer's turn, it blocks the
/// thread: in a task, do not hold a guard across an `.await` if other tasks of that runtime write too.
///
/// # Limits
///
/// A read that lasts while 2⁶¹ values are stored may be taken for undisturbed.
///
/// # Examples
///
/// ```
/// use bytemuck::NoUninit;
/// use seqschedlock::{SeqSchedCell, Spin};
///
/// #[derive(Clone, Copy, NoUninit)]
/// #[repr(C)]
/// struct Position {
///     x: f64,
///     y: f64,
/// }
///
/// static POSITION: SeqSchedCell<Position, Spin> = SeqSchedCell::new(Position { x: 0.0, y: 0.0 });
///
/// let mut next = POSITION.lock();
/// next.x = 3.0;
/// next.y = 4.0;
/// assert_eq!(POSITION.load().x, 0.0); // not yet
/// drop(next);
///
/// let now = POSITION.load();
/// assert_eq!(now.x.hypot(now.y), 5.0);
/// ```
///
/// Padding is refused:
///
/// ```compile_fail,E0277
/// use seqschedlock::{SeqSchedCell, Spin};
///
/// #[derive(Clone, Copy)]
/// struct Padded(u8, u32); // three bytes in between belong to nobody
///
/// static CELL: SeqSchedCell<Padded, Spin> = SeqSchedCell::new(Padded(1, 2));
/// ```
pub struct SeqSchedCell<T, W> {
    word: CellWord,
    wait: W,
    value: Racing<T>,
}

impl<T: NoUninit, W: Wait> SeqSchedCell<T, W> {
    const_fn! {
        /// A cell with a value in it.
        #[inline]
        #[must_use]
        pub const fn new(value: T) -> Self {
            Self { word: CellWord::new(), wait: wait_init!(use W), value: Racing::new(value) }
        }
    }

    /// The value. Waits, as `W` says, only while one is being copied back.
    ///
    /// Ordering: acquire. What its writer did before storing it is visible.
    ///
    /// # Panics
    ///
    /// Only if `W` does.
    #[inline]
    #[must_use]
    pub fn load(&self) -> T {
        loop {
            match self.try_load() {
                Ok(value) => return value,
                Err(conflict) => self.wait_for_copy(conflict),
            }
        }
    }

    /// The value, if it can be had at once. Never waits.
    ///
    /// # Errors
    ///
    /// [`Conflict::WriterRunning`] if a value is being copied back, [`Conflict::Race`] if one was
    /// meanwhile.
    #[inline]
    pub fn try_load(&self) -> Result<T, Conflict> {
        let seen = self.word.begin()?;
        let bytes = self.value.load();
        self.word.end(seen)?;
        // SAFETY: nothing was stored between `begin` and `end`, so these are the bytes of the value
        // that was stored last, all of them.
        Ok(unsafe { bytes.assume_init() })
    }

    /// Replaces the value. Waits, as `W` says, only while another writer has its turn.
    ///
    /// A thread that calls this with a [guard](Self::lock) of the same cell in hand waits for itself.
    ///
    /// Ordering: release, towards the loads and the writers that come after it; as a writer it also
    /// acquires what the writer before it released.
    ///
    /// # Panics
    ///
    /// Only if `W` does.
    #[inline]
    pub fn store(&self, value: T) {
        let turn = self.turn(CellWord::take_turn_and_enter);
        self.value.store(value);
        self.leave(turn);
    }

    /// Replaces the value and returns the one before. Waits as [`store`](Self::store) does.
    #[inline]
    pub fn swap(&self, value: T) -> T {
        let turn = self.turn(CellWord::take_turn_and_enter);
        let before = self.own(&turn);
        self.value.store(value);
        self.leave(turn);
        before
    }

    /// Replaces the value by what `change` makes of it and returns the one before.
    ///
    /// No other writer comes between, so `change` runs once. It may take its time: readers get the
    /// old value meanwhile. If it panics, the value stays as it was. If it writes to this very cell, it
    /// waits for itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqschedlock::{SeqSchedCell, Spin};
    ///
    /// let range = SeqSchedCell::<[u64; 2], Spin>::new([0, 10]);
    /// assert_eq!(range.update(|[from, to]| [from + 10, to + 10]), [0, 10]);
    /// assert_eq!(range.load(), [10, 20]);
    /// ```
    #[inline]
    pub fn update(&self, change: impl FnOnce(T) -> T) -> T {
        let work = self.work();
        let before = work.copy();
        work.publish(change(before));
        before
    }

    /// Replaces the value by what `change` makes of it, if anything.
    ///
    /// As [`update`](Self::update) otherwise.
    ///
    /// # Errors
    ///
    /// The value as it is, if `change` returned `None`. No reader notices.
    ///
    /// # Examples
    ///
    /// Compare and exchange:
    ///
    /// ```
    /// use seqschedlock::{SeqSchedCell, Spin};
    ///
    /// let owner = SeqSchedCell::<[u8; 4], Spin>::new(*b"free");
    /// let take = |name| owner.try_update(|now| (now == *b"free").then_some(name));
    /// assert_eq!(take(*b"Anna"), Ok(*b"free"));
    /// assert_eq!(take(*b"Hugo"), Err(*b"Anna"));
    /// ```
    #[inline]
    pub fn try_update(&self, change: impl FnOnce(T) -> Option<T>) -> Result<T, T> {
        let work = self.work();
        let before = work.copy();
        match change(before) {
            Some(value) => {
                work.publish(value);
                Ok(before)
            }
            None => Err(before),
        }
    }

    /// Takes a copy to work on, which replaces the value when the guard is dropped.
    ///
    /// Until then readers get the old value, however long it takes, and other writers wait. The guard
    /// may move to another thread. Waits as [`store`](Self::store) does.
    #[inline]
    pub fn lock(&self) -> SeqSchedCellGuard<'_, T, W> {
        SeqSchedCellGuard::new(self.work())
    }

    /// As [`lock`](Self::lock), but does not wait: `None` if another writer has its turn.
    ///
    /// The one to use in a task, where a wait would block the thread and with it, perhaps, the task
    /// that it waits for.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqschedlock::{SeqSchedCell, Spin};
    ///
    /// let cell = SeqSchedCell::<u64, Spin>::new(1);
    /// let mut first = cell.try_lock().expect("nobody else writes");
    /// *first = 2;
    /// assert!(cell.try_lock().is_none());
    /// drop(first);
    /// assert_eq!(cell.try_lock().as_deref(), Some(&2));
    /// ```
    #[inline]
    pub fn try_lock(&self) -> Option<SeqSchedCellGuard<'_, T, W>> {
        let turn = self.word.take_turn()?;
        Some(SeqSchedCellGuard::new(Work { cell: self, turn }))
    }

    /// The value, without the cell.
    #[inline]
    #[must_use = "drop the cell if the value is not wanted"]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }

    #[inline]
    fn work(&self) -> Work<'_, T, W> {
        Work {
            cell: self,
            turn: self.turn(CellWord::take_turn),
        }
    }

    #[inline]
    fn turn(&self, take: impl Fn(&CellWord) -> Option<Turn>) -> Turn {
        match take(&self.word) {
            Some(turn) => turn,
            None => self.wait_for_turn(take),
        }
    }

    // Only the wait: a value that came back from here through memory would cost the others a copy.
    #[cold]
    #[inline(never)]
    fn wait_for_copy(&self, conflict: Conflict) {
        if conflict == Conflict::WriterRunning {
            self.wait.wait(&Writers::new(&self.word.copy()));
        }
    }

    #[cold]
    #[inline(never)]
    fn wait_for_turn(&self, take: impl Fn(&CellWord) -> Option<Turn>) -> Turn {
        loop {
            self.wait.wait(&Writers::new(&self.word.turn()));
            if let Some(turn) = take(&self.word) {
                return turn;
            }
        }
    }

    /// The value, for the one who has the turn.
    #[inline]
    fn own(&self, _turn: &Turn) -> T {
        // SAFETY: values are stored only by who has the turn, and taking it made visible what its
        // predecessor stored. So these are the bytes of one value, all of them.
        unsafe { self.value.load().assume_init() }
    }

    #[inline]
    fn leave(&self, turn: Turn) {
        if self.word.leave(turn, W::WAKES) {
            self.wait.wake();
        }
    }
}

/// Whether this thread unwinds. Without `std` nobody knows.
#[inline]
fn unwinding() -> bool {
    #[cfg(feature = "std")]
    return std::thread::panicking();
    #[cfg(not(feature = "std"))]
    return false;
}

/// A turn, given up when dropped.
struct Work<'a, T: NoUninit, W: Wait> {
    cell: &'a SeqSchedCell<T, W>,
    turn: Turn,
}

impl<T: NoUninit, W: Wait> Work<'_, T, W> {
    #[inline]
    fn copy(&self) -> T {
        self.cell.own(&self.turn)
    }

    #[inline]
    fn publish(self, value: T) {
        let Work { cell, turn } = self;
        // Before anything else: were it dropped by a `wake` that panics, it would give up the turn of
        // whoever has it by then.
        core::mem::forget(self);
        cell.word.enter(turn, W::WAKES);
        cell.value.store(value);
        cell.leave(turn);
    }
}

impl<T: NoUninit, W: Wait> Drop for Work<'_, T, W> {
    #[inline]
    fn drop(&mut self) {
        if self.cell.word.give_up(self.turn, W::WAKES) {
            self.cell.wait.wake();
        }
    }
}

impl<T: NoUninit + Default, W: Wait> Default for SeqSchedCell<T, W> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: NoUninit, W: Wait> From<T> for SeqSchedCell<T, W> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// Prints the value, or that it is just being replaced, and how often it was. Never blocks.
impl<T: NoUninit + fmt::Debug, W: Wait> fmt::Debug for SeqSchedCell<T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SeqSchedCell");
        match self.try_load() {
            Ok(value) => out.field("value", &value),
            Err(_) => out.field("value", &format_args!("<being replaced>")),
        };
        out.field("sequence", &self.word.sequence())
            .finish_non_exhaustive()
    }
}

/// A writer's private copy of the value in a [`SeqSchedCell`]. Dropping it copies it back.
///
/// Not so if the guard is dropped because its thread panics: a value that was left half way is
/// thrown away, and the cell stays as it was. (To know that takes the feature `std`. Without it a
/// panic that unwinds publishes, and with it one that begins and ends in a destructor which another panic
/// runs; [`update`](SeqSchedCell::update) never does.) A future that is
/// dropped does not panic: what it was working on is published as it is, half way or not.
///
/// Forgetting the guard is safe and keeps the turn for ever: readers get the old value, writers wait.
#[must_use = "the copy is published when the guard is dropped, here at once"]
pub struct SeqSchedCellGuard<'a, T: NoUninit, W: Wait> {
    copy: T,
    /// `None` once it is clear that nothing is to be copied back.
    work: Option<Work<'a, T, W>>,
    /// Whether the guard was made by a destructor in the middle of a panic, which is none of its own.
    unwinding: bool,
}

impl<'a, T: NoUninit, W: Wait> SeqSchedCellGuard<'a, T, W> {
    #[inline]
    fn new(work: Work<'a, T, W>) -> Self {
        Self {
            copy: work.copy(),
            work: Some(work),
            unwinding: unwinding(),
        }
    }

    /// Throws the copy away: the cell stays as it was, and no reader notices.
    ///
    /// It hides a method of that name of `T`: reach that by `(*guard).discard()`.
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
    pub fn discard(mut self) {
        self.work = None;
    }
}

impl<T: NoUninit, W: Wait> Drop for SeqSchedCellGuard<'_, T, W> {
    #[inline]
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            if self.unwinding || !unwinding() {
                work.publish(self.copy);
            }
        }
    }
}

impl<T: NoUninit, W: Wait> Deref for SeqSchedCellGuard<'_, T, W> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.copy
    }
}

impl<T: NoUninit, W: Wait> DerefMut for SeqSchedCellGuard<'_, T, W> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.copy
    }
}

impl<T: NoUninit + fmt::Debug, W: Wait> fmt::Debug for SeqSchedCellGuard<'_, T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SeqSchedCellGuard")
            .field(&self.copy)
            .finish()
    }
}
