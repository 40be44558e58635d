//! A lock whose readers get through beside writers that never pause: sections begin inside a gate, and readers
//! publish in it.

#[cfg(feature = "park")]
mod park;

use core::fmt;

use crate::conflict::{Conflict, Stamp};
use crate::raw::{RawSeqSchedLock, WriteGuard};
use crate::sync::{ATTEMPTS_BEFORE_THE_GATE, const_fn};
use crate::turn_lock::TurnLock;
use crate::wait::Wait;

/// A [`RawSeqSchedLock`] with a gate that write sections pass when they begin and readers pass when they publish.
///
/// A reader of a plain lock starves beside writers whose sections follow one another without a pause: a slow load
/// does not fit between two of them, and no wake-up helps. Here, a reader that has lost a few times keeps the gate
/// closed during its load. It waits only for the sections that already run. It does the same, at once, if it finds
/// sections running: a moment without any may never come.
///
/// The gate is as fair as `W`. With `Park`, whoever waits at it stands in line. With the other strategies it is taken
/// by whoever looks at the right moment.
///
/// With the gate, nothing need be taken back. [`publish`](Self::publish) validates and publishes inside it, so no
/// section begins in between, and nothing invalid is ever visible.
///
/// # When to use it and when not
///
/// Use it if readers must get through beside writers that never pause, or if what is published is visible at once and
/// cannot be taken back cleanly (a page that is mapped, a message that is sent). Writers pay for this: beginning a
/// section may wait. It waits briefly while a reader publishes. While a reader keeps the gate, it waits until the
/// running sections have ended and that reader has loaded. A section that has begun never waits. If writers must not
/// wait at all, use [`RawSeqSchedLock`]; if a cache coalesces loads, use [`Fenced`](crate::Fenced).
///
/// A single gate holds up writers that have nothing to do with the reader. Use several, each for a part of the keys,
/// in an array of [`CachePadded`](crossbeam_utils::CachePadded).
///
/// # Deadlocks
///
/// A reader may keep the gate closed and wait for the running sections. So no section may need the gate in order to
/// end. Inside a section, do not begin another section of the same gate, and do not call
/// [`publish`](Self::publish) or [`read`](Self::read). A load must not begin a section either.
///
/// Begin a section while holding nothing that a load or a publication of the same gate needs, such as the mutex
/// of the cache: take it after [`write`](Self::write).
///
/// If a writer needs sections on several such locks, all writers must begin them in the same fixed order. A reader
/// that keeps one gate waits for the sections of that lock. Their owners may still have later gates to pass, but
/// never that one or an earlier one. A load that reads or publishes at another gate follows the same order.
///
/// A thread that polls futures of this lock must not block on it: one of its own futures may be next in line, and
/// would never be polled. In tasks, use the `_async` methods throughout.
///
/// # Examples
///
/// ```
/// use std::{collections::HashMap, sync::Mutex};
/// use seqschedlock::{GatedSeqSchedLock, Park};
///
/// # fn load(id: u64) -> String { format!("user {id}") }
/// # fn store(id: u64, name: &str) {}
/// struct Users { cache: Mutex<HashMap<u64, String>>, gate: GatedSeqSchedLock<Park> }
///
/// impl Users {
///     fn get(&self, id: u64) -> String {
///         if let Some(name) = self.cache.lock().unwrap().get(&id) { return name.clone(); }
///         self.gate.publish(
///             || load(id),                            // slow; may run several times
///             |name| {                                // once, and only if `name` is still what the source says
///                 self.cache.lock().unwrap().insert(id, name.clone());
///                 name
///             },
///         )
///     }
///
///     fn rename(&self, id: u64, name: &str) {
///         let _section = self.gate.write();           // may wait; then held over both
///         self.cache.lock().unwrap().remove(&id);
///         store(id, name);
///     }
/// }
/// # let users = Users { cache: Mutex::default(), gate: GatedSeqSchedLock::new() };
/// # assert_eq!(users.get(7), "user 7");
/// # users.rename(7, "Anna");
/// # assert!(users.cache.lock().unwrap().is_empty());
/// ```
pub struct GatedSeqSchedLock<W> {
    lock: RawSeqSchedLock<W>,
    gate: TurnLock<W>,
}

impl<W: Wait> GatedSeqSchedLock<W> {
    const_fn! {
        /// A new lock with its gate open.
        #[inline]
        #[must_use]
        pub const fn new() -> Self {
            Self { lock: RawSeqSchedLock::new(), gate: TurnLock::new() }
        }
    }

    /// Begins a read section: see [`RawSeqSchedLock::read_begin`]. Never waits.
    ///
    /// # Errors
    ///
    /// [`Conflict::WriterRunning`] if a write section runs.
    #[inline]
    pub fn read_begin(&self) -> Result<Stamp, Conflict> {
        self.lock.read_begin()
    }

    /// Begins a read section when no write section runs; until then waits as `W` says.
    ///
    /// It does not keep the gate, so it may wait for ever beside writers that never pause. See [`alone`](Self::alone).
    #[inline]
    pub fn read_begin_wait(&self) -> Stamp {
        self.lock.read_begin_wait()
    }

    /// Validates what was looked at: see [`RawSeqSchedLock::read_end`]. Never waits.
    ///
    /// # Errors
    ///
    /// [`Conflict::WriterRunning`] if a write section runs, [`Conflict::Race`] if one ran.
    #[inline]
    pub fn read_end(&self, stamp: Stamp) -> Result<(), Conflict> {
        self.lock.read_end(stamp)
    }

    /// Validates what was published outside the gate: see [`RawSeqSchedLock::read_commit`]. Never waits.
    ///
    /// # Errors
    ///
    /// [`Conflict::WriterRunning`] if a write section runs, [`Conflict::Race`] if one ran. Take back what was
    /// published.
    #[inline]
    pub fn read_commit(&self, stamp: Stamp) -> Result<(), Conflict> {
        self.lock.read_commit(stamp)
    }

    /// Validates, then publishes, both inside the gate: one attempt of [`publish`](Self::publish) by hand.
    ///
    /// No section begins between the two. Every section that begins later sees what `publish` makes visible.
    /// `publish` should be short. Waits for the gate, as `W` says.
    ///
    /// # Errors
    ///
    /// The conflict that was met. `publish` has not been called.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqschedlock::{Conflict, GatedSeqSchedLock, Spin};
    ///
    /// # let (load, map) = (|| 7, |_: u32| ());
    /// let lock = GatedSeqSchedLock::<Spin>::new();
    /// let stamp = lock.read_begin()?;
    /// let page = load();
    /// lock.commit(stamp, || map(page))?;
    /// # Ok::<(), Conflict>(())
    /// ```
    #[inline]
    pub fn commit<R>(&self, stamp: Stamp, publish: impl FnOnce() -> R) -> Result<R, Conflict> {
        let gate = self.gate.lock();
        // The gate orders this with the beginning of every section, so `read_end` is enough.
        self.lock.read_end(stamp)?;
        let published = publish();
        drop(gate); // see `write`
        Ok(published)
    }

    /// Keeps the gate, waits for the running sections to end, then calls `act` while no section runs and none begins:
    /// the last attempt of [`publish`](Self::publish) by hand.
    ///
    /// What `act` loads is valid, and may be published at once. New sections wait until it returns. Waits as `W`
    /// says; a caller inside its own write section waits for itself.
    pub fn alone<R>(&self, act: impl FnOnce() -> R) -> R {
        let gate = self.gate.lock();
        // Once this has seen the last section gone, it sees what all of them wrote.
        let _none_runs = self.lock.read_begin_wait();
        let found = act();
        drop(gate); // see `write`
        found
    }

    /// Looks until the result is valid, and gets through: after a few failed attempts it keeps the gate closed during
    /// the last one.
    ///
    /// The result of a failed look is dropped. Waits as `W` says. A caller inside its own write section waits for
    /// itself.
    ///
    /// Ordering: as [`RawSeqSchedLock::read`].
    ///
    /// # Panics
    ///
    /// Only if `look` or `W` does.
    pub fn read<R>(&self, mut look: impl FnMut() -> R) -> R {
        for _ in 0..ATTEMPTS_BEFORE_THE_GATE {
            if let Ok(found) = self.lock.try_read(&mut look) {
                return found;
            }
        }
        self.alone(look)
    }

    /// Looks once: see [`RawSeqSchedLock::try_read`]. Never waits.
    ///
    /// # Errors
    ///
    /// The [`Conflict`] that was met. If a write section runs already, `look` is not called.
    #[inline]
    pub fn try_read<R>(&self, look: impl FnOnce() -> R) -> Result<R, Conflict> {
        self.lock.try_read(look)
    }

    /// Loads, and publishes what is still valid. It gets through: after a few failed attempts it keeps the gate closed
    /// during the last load.
    ///
    /// `load` consults the source. After a conflict its result is dropped and it runs again. It may return a `Result`:
    /// `publish` decides whether to publish that. `publish` runs once, inside the gate, so it should be short. Every
    /// section that begins later sees what it makes visible.
    ///
    /// Waits as `W` says. A caller inside its own write section waits for itself.
    ///
    /// # Panics
    ///
    /// Only if `load`, `publish` or `W` does. A panic opens the gate again.
    ///
    /// # Examples
    ///
    /// Loads that fail:
    ///
    /// ```
    /// use std::{collections::HashMap, io, sync::Mutex};
    /// use seqschedlock::{GatedSeqSchedLock, Park};
    ///
    /// # fn load(id: u64) -> io::Result<String> { Ok(format!("user {id}")) }
    /// let gate = GatedSeqSchedLock::<Park>::new();
    /// let cache = Mutex::new(HashMap::new());
    /// let name = gate.publish(
    ///     || load(7),
    ///     |loaded| loaded.inspect(|name| { cache.lock().unwrap().insert(7, name.clone()); }),
    /// )?;
    /// # assert_eq!(name, "user 7");
    /// # Ok::<(), io::Error>(())
    /// ```
    pub fn publish<L, R>(&self, mut load: impl FnMut() -> L, publish: impl FnOnce(L) -> R) -> R {
        for _ in 0..ATTEMPTS_BEFORE_THE_GATE {
            let Ok(stamp) = self.lock.read_begin() else {
                continue;
            };
            let loaded = load();
            let gate = self.gate.lock();
            if self.lock.read_end(stamp).is_ok() {
                let published = publish(loaded);
                drop(gate); // see `write`
                return published;
            }
        }
        self.alone(|| publish(load()))
    }

    /// Begins a write section: see [`RawSeqSchedLock::write`]. May wait for the gate, as `W` says.
    ///
    /// It waits while a reader publishes, and while a reader keeps the gate: until the running sections have ended and
    /// that reader has looked or loaded. A caller inside its own write section may wait for itself.
    ///
    /// Ordering: as [`RawSeqSchedLock::write`].
    ///
    /// # Panics
    ///
    /// If 524 288 write sections already run on this lock, or if `W` panics.
    #[inline]
    pub fn write(&self) -> WriteGuard<'_, W> {
        let gate = self.gate.lock();
        let section = self.lock.write();
        // A waker may panic as the gate opens. The section then ends here; as a return value it would be leaked.
        drop(gate);
        section
    }

    /// Begins a write section unless the gate is closed, or there are too many sections. Never waits.
    #[inline]
    pub fn try_write(&self) -> Option<WriteGuard<'_, W>> {
        let gate = self.gate.try_lock()?;
        let section = self.lock.try_write();
        drop(gate); // see `write`
        section
    }

    /// How many write sections run: a hint, out of date as soon as it is read.
    #[must_use]
    pub fn writers(&self) -> usize {
        self.lock.writers()
    }
}

impl<W: Wait> Default for GatedSeqSchedLock<W> {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints the state of the lock. Never blocks.
impl<W> fmt::Debug for GatedSeqSchedLock<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatedSeqSchedLock")
            .field("lock", &self.lock)
            .finish_non_exhaustive()
    }
}
