//! Plain data as whole values: readers copy it out, and one writer at a time copies it back.

mod guard;
#[cfg(feature = "park")]
mod park;
#[cfg(all(test, feature = "std"))]
mod tests;

pub use guard::{SeqSchedCellDraft, SeqSchedCellGuard};

use core::fmt;
use core::mem::MaybeUninit;

use bytemuck::NoUninit;

use crate::conflict::Conflict;
use crate::sync::{ATTEMPTS_BEFORE_A_TURN, LOOKS_FOR_A_TURN, Racing, const_fn};
use crate::turn_lock::{Taken, TurnLock};
use crate::wait::{Wait, Writers};
use crate::word::cell::{Turn, load_whole, store_whole};
use guard::Work;

/// From this many bytes on, a call costs less than a copy.
const LARGE: usize = 256;

/// A plain value that is read and replaced as a whole.
///
/// Readers take a copy. A reader that gets through at once does not write to shared memory. Writers take turns. A
/// writer that needs time works on its own copy ([`lock`](Self::lock), [`update`](Self::update)) while readers
/// keep getting the old value. It delays them only while the finished value is copied back.
///
/// # When to use it and when not
///
/// Use it for data of a few bytes to a few kilobytes that is read much more often than written: a configuration,
/// a position, a clock's parameters. If the parts change one by one and tolerate races, use
/// [`SeqSchedLock`](crate::SeqSchedLock). If `T` owns memory, use a lock, or swap an `Arc`.
///
/// # What `T` must be
///
/// [`bytemuck::NoUninit`]: `Copy`, without padding, pointers or interior mutability. Padding has no defined
/// value, so it cannot be copied while it changes. Derive the trait (`cargo add bytemuck --features derive`; a
/// struct needs `repr(C)` or `repr(transparent)`, an enum `repr(u8)` or similar); a type with padding does not
/// compile. `T` need not be valid for *all* byte patterns: what a reader copies during a store stays raw memory
/// and is thrown away. Only bytes known to be one whole value ever become a `T`, so `bool`, `char`,
/// `NonZero` and enums are fine.
///
/// # What is guaranteed
///
/// - A value that is read was stored as a whole, and everything that its writer did before storing it is visible
///   to the reader.
/// - A reader that has failed a few times takes a turn as a writer does, reads, and gives the turn up. So writers
///   that store without a pause delay a reader by a few copies, but do not starve it. A reader never waits for a
///   turn: a writer that sleeps with a guard delays no reader.
/// - With `Park`, a waiting reader is woken by the end of the copy. Waiting writers are woken by the end of a turn,
///   in the order in which they came. A writer that arrives at that moment may still be faster.
/// - Values of 1, 2, 4 or 8 bytes (up to 4 without 64-bit atomics) are loaded and stored in one access. Their
///   readers never wait and never fail.
///
/// `W` says how readers and writers [wait](Wait).
///
/// # In tasks
///
/// Readers may `load` anywhere. To write in a task, await the turn: `*cell.lock_async().await = value`. The other
/// methods that take a turn ([`store`](Self::store), [`swap`](Self::swap), [`update`](Self::update),
/// [`lock`](Self::lock)) block the thread while somebody else has it. If that thread also polls a future that is in
/// line for the same cell, this is a deadlock and not just a delay: the turn may be that future's, and nobody polls it.
///
/// # Limits
///
/// If exactly 2⁶¹ values are stored during one read, that read may be taken for undisturbed.
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
/// struct Padded(u8, u32); // three bytes of padding in between
///
/// static CELL: SeqSchedCell<Padded, Spin> = SeqSchedCell::new(Padded(1, 2));
/// ```
pub struct SeqSchedCell<T, W> {
    turns: TurnLock<W>,
    value: Racing<T>,
}

impl<T: NoUninit, W: Wait> SeqSchedCell<T, W> {
    const_fn! {
        /// A new cell that holds `value`.
        #[inline]
        #[must_use]
        pub const fn new(value: T) -> Self {
            Self { turns: TurnLock::new(), value: Racing::new(value) }
        }
    }

    /// Returns the value. Waits, as `W` says, only while a value is being copied back.
    ///
    /// After failing a few times because writers keep storing, it takes a turn for one copy. During that copy,
    /// [`try_lock`](Self::try_lock) returns `None` and other writers wait.
    ///
    /// Ordering: acquire. What the writer did before storing the value is visible.
    ///
    /// # Panics
    ///
    /// Only if `W` does.
    #[inline]
    #[must_use]
    pub fn load(&self) -> T {
        let mut value = MaybeUninit::uninit();
        if size_of::<T>() < LARGE {
            self.load_until_whole(&mut value);
        } else {
            self.load_large(&mut value);
        }
        // SAFETY: it is whole.
        unsafe { value.assume_init() }
    }

    /// Returns the value if one attempt succeeds. Never waits.
    ///
    /// Ordering: as [`load`](Self::load).
    ///
    /// # Errors
    ///
    /// [`Conflict::WriterRunning`] if a value is being copied back, [`Conflict::Race`] if one was copied back
    /// during the attempt. The load of a value in one access never fails.
    #[inline]
    pub fn try_load(&self) -> Result<T, Conflict> {
        let mut value = MaybeUninit::uninit();
        self.load_once(&mut value)?;
        // SAFETY: it is whole.
        Ok(unsafe { value.assume_init() })
    }

    /// Replaces the value. Waits, as `W` says, only while another writer has its turn.
    ///
    /// A thread that calls this while it holds a [guard](Self::lock) of the same cell waits for itself.
    ///
    /// Ordering: release, for the loads and the writers that come after it. It also acquires what the
    /// previous writer released.
    ///
    /// # Panics
    ///
    /// Only if `W` does.
    #[inline]
    pub fn store(&self, value: T) {
        let turn = self.turn_to_put();
        self.put(&value);
        self.leave(turn);
    }

    /// Replaces the value and returns the previous one. Waits as [`store`](Self::store) does.
    #[inline]
    pub fn swap(&self, value: T) -> T {
        let turn = self.turn_to_put();
        let before = self.own(&turn);
        self.put(&value);
        self.leave(turn);
        before
    }

    /// Replaces the value with the result of `change`, and returns the previous value.
    ///
    /// No other writer gets in between, so `change` runs once. It may take its time: readers get the
    /// old value until it is done. If it panics, the value stays as it was. If it writes to this same cell, it
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

    /// Replaces the value with the result of `change`, unless that is `None`.
    ///
    /// Otherwise as [`update`](Self::update).
    ///
    /// # Errors
    ///
    /// The current value, if `change` returned `None`. No reader notices.
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
    /// Until then readers get the old value, however long it takes, and other writers wait. The guard may be moved to
    /// another thread. It publishes on every path that drops it, an early return and a panic included. If
    /// the work can fail halfway, turn the guard into a [draft](SeqSchedCellGuard::draft). Waits as
    /// [`store`](Self::store) does.
    #[inline]
    pub fn lock(&self) -> SeqSchedCellGuard<'_, T, W> {
        SeqSchedCellGuard::new(self.work())
    }

    /// As [`lock`](Self::lock), but does not wait: `None` if another writer has its turn.
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
        let turn = self.turns.try_lock()?;
        Some(SeqSchedCellGuard::new(Work { cell: self, turn }))
    }

    /// The value, without the cell.
    #[inline]
    #[must_use = "drop the cell if the value is not wanted"]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }

    // Not inlined: the compiler lets a call write directly to where the value is wanted, which spares a copy.
    #[inline(never)]
    fn load_large(&self, to: &mut MaybeUninit<T>) {
        self.load_until_whole(to);
    }

    /// Copies the value; `to` is whole afterwards.
    #[inline]
    fn load_until_whole(&self, to: &mut MaybeUninit<T>) {
        let mut attempts = 0;
        while let Err(conflict) = self.load_once(to) {
            attempts += 1;
            if let Some(turn) = self.try_harder(conflict, attempts) {
                // There is no writer left to lose to.
                self.value.load(to);
                drop(turn);
                return;
            }
        }
    }

    /// Copies the value; if it returns `Ok`, `to` is whole.
    #[inline]
    fn load_once(&self, to: &mut MaybeUninit<T>) -> Result<(), Conflict> {
        if Racing::<T>::WHOLE {
            self.value.load_whole(load_whole(), to);
            return Ok(());
        }
        let seen = self.turns.word.begin()?;
        self.value.load(to);
        // If nothing was stored between `begin` and `end`, these are all bytes of the value that was stored last.
        self.turns.word.end(seen)
    }

    /// After a failed load: waits if there is something to wait for. After enough attempts, takes the turn
    /// if nobody has it.
    ///
    /// It does not wait for a turn. The writer that has it may sleep, and may need what this reader holds.
    // This returns no value: one returned through memory would cost the fast path a copy.
    #[cold]
    #[inline(never)]
    fn try_harder(&self, conflict: Conflict, attempts: u32) -> Option<Taken<'_, W>> {
        if conflict == Conflict::WriterRunning {
            let turns = &self.turns;
            turns.wait.wait(&Writers::new(&turns.word.copy()));
        }
        if attempts < ATTEMPTS_BEFORE_A_TURN {
            return None;
        }
        for _ in 0..LOOKS_FOR_A_TURN {
            let taken = self.turns.try_lock();
            if taken.is_some() {
                return taken;
            }
            core::hint::spin_loop();
        }
        None
    }

    #[inline]
    fn work(&self) -> Work<'_, T, W> {
        let turn = self.turns.lock();
        Work { cell: self, turn }
    }

    /// Takes a turn in which a value may be stored at once.
    #[inline]
    fn turn_to_put(&self) -> Turn {
        let taken = if Racing::<T>::WHOLE {
            self.turns.word.take_turn()
        } else {
            self.turns.word.take_turn_and_enter()
        };
        match taken {
            Some(turn) => turn,
            None => {
                let turn = self.turns.wait_for_turn();
                self.enter(turn);
                turn
            }
        }
    }

    /// Begins to copy back. A value that is stored whole delays nobody.
    #[inline]
    fn enter(&self, turn: Turn) {
        if !Racing::<T>::WHOLE {
            self.turns.word.enter(turn, W::WAKES);
        }
    }

    /// The value, for the writer whose turn it is.
    #[inline]
    fn own(&self, _turn: &Turn) -> T {
        let mut value = MaybeUninit::uninit();
        self.value.load(&mut value);
        // SAFETY: only the writer whose turn it is stores values, and taking the turn made visible what
        // its predecessor stored. So these are all the bytes of one value.
        unsafe { value.assume_init() }
    }

    /// Stores the value, for the writer whose turn it is.
    #[inline]
    fn put(&self, value: &T) {
        if Racing::<T>::WHOLE {
            self.value.store_whole(value, store_whole());
        } else {
            self.value.store(value);
        }
    }

    #[inline]
    fn leave(&self, turn: Turn) {
        if self.turns.word.leave(turn, W::WAKES) {
            self.turns.wake();
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

/// Prints the value, or that it is being replaced, and how often it has been replaced. Never blocks.
impl<T: NoUninit + fmt::Debug, W: Wait> fmt::Debug for SeqSchedCell<T, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SeqSchedCell");
        match self.try_load() {
            Ok(value) => out.field("value", &value),
            Err(_) => out.field("value", &format_args!("<being replaced>")),
        };
        out.field("sequence", &self.turns.word.sequence())
            .finish_non_exhaustive()
    }
}
