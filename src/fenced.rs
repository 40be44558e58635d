//! A cache entry that knows whether it may be served.

use core::fmt;

use crate::conflict::Stamp;
use crate::raw::RawSeqSchedLock;
use crate::sync::{
    atomic::{AtomicBool, Ordering},
    const_fn,
};
use crate::wait::Wait;

/// A value loaded from a source, and the stamp taken before the load: an entry for a cache that you
/// already use.
///
/// The entry goes into the cache unvalidated. A lookup that finds it there asks [`hit`](Self::hit), which
/// validates it the first time and remembers the answer. An entry that raced with an update is never a hit,
/// so it need not be taken back, and a load that is dropped halfway leaves nothing behind that could be
/// served. That is why it works with caches that run one load for many waiters: the cache keeps its
/// coalescing, and `Fenced` decides what counts as a hit.
///
/// # The idiom
///
/// Three steps: take the stamp inside the load, ask `hit` about what a lookup found, ask
/// [`fresh`](Self::fresh) about what a load handed over.
///
#[cfg_attr(feature = "park", doc = "```")]
#[cfg_attr(not(feature = "park"), doc = "```ignore")]
/// use std::{collections::HashMap, sync::{Arc, Mutex}};
/// use seqschedlock::{Fenced, Park, RawSeqSchedLock};
///
/// # fn load(id: u64) -> String { format!("user {id}") }
/// # fn store(id: u64, name: &str) {}
/// struct Users { cache: Mutex<HashMap<u64, Arc<Fenced<String>>>>, fence: RawSeqSchedLock<Park> }
///
/// impl Users {
///     fn get(&self, id: u64) -> Arc<Fenced<String>> {
///         let found = self.cache.lock().unwrap().get(&id).cloned();
///         if let Some(entry) = found.filter(|entry| entry.hit(&self.fence).is_some()) { return entry; }
///
///         let stamp = self.fence.read_begin_wait(); // before the load
///         let entry = Arc::new(Fenced::new(stamp, load(id)));
///         self.cache.lock().unwrap().insert(id, Arc::clone(&entry));
///         entry.hit(&self.fence); // in its place, and nowhere else: validated for others
///         entry // loaded by this very call: new enough for it
///     }
///
///     fn rename(&self, id: u64, name: &str) {
///         let _section = self.fence.write(); // around both: the removal and the change
///         self.cache.lock().unwrap().remove(&id);
///         store(id, name);
///     }
/// }
/// # let users = Users { cache: Mutex::default(), fence: RawSeqSchedLock::new() };
/// # assert_eq!(users.get(7).unvalidated(), "user 7");
/// # assert_eq!(users.get(7).hit(&users.fence), Some(&"user 7".to_owned()));
/// ```
///
/// If an update had ended before `get` was called, `get` returns a value that is at least as new as what that
/// update wrote. The [crate documentation](crate#fence-a-cache-fill) has the same for a cache that coalesces loads.
///
/// # When not to use it
///
/// - The cache is a map behind your own lock, and each reader loads for itself: validate inside that lock and
///   never insert what raced ([`read_end`](RawSeqSchedLock::read_end)). That needs no entry type.
/// - You publish not a cache entry but a bit, a count or a page table entry: use
///   [`publish`](RawSeqSchedLock::publish), and take it back if the commit fails.
/// - Loads run under the cache's own lock for the key, and updates take the same lock.
///
/// # Traps
///
/// - **`hit` before publishing** is the very mistake that this crate exists to prevent: a whole update fits between the
///   check and the insertion and finds nothing to remove, so the stale entry stays open for ever. Ask `hit` only
///   about an entry that a lookup has found where updates look for it.
/// - **`hit` on what a load handed over.** A cache that coalesces loads may hand an entry to a late waiter after
///   others have found, opened and removed it. Ask `fresh` there. `fresh` is correct for any entry; it only
///   refuses more of them.
/// - **An entry that nobody has asked about** becomes a miss with the next update of any key under the same lock. So
///   ask `hit` as soon as the entry is in the cache. If the cache inserts it for you, look it up first.
/// - **The stamp belongs inside the load** that the cache runs. A stamp taken around a coalescing cache says
///   nothing about a load that another caller began earlier.
/// - **Publish once.** An entry that is put back after its removal, or put into a second cache that the update
///   does not clear, may be stale and open.
/// - **The right lock.** A stamp is only good for the lock that made it; with stripes, for the stripe of the key.
/// - Updates must remove the entry inside their section, by an operation that finds every entry whose insertion
///   is visible to it: most caches use a lock for the key or the map. Remove first, then change
///   ([using it right](crate#using-it-right)).
pub struct Fenced<T> {
    stamp: Stamp,
    /// Whether a finder has validated the entry. Set once, after the commit, and never cleared.
    ///
    /// Both accesses are relaxed: the flag carries no data and orders nothing. It records a fact that holds for all
    /// threads: every section that had not ended when the stamp was taken finds the entry and removes it, and after
    /// that removal no lookup finds the entry. `docs/memory-ordering.md` has the argument, and names the models that
    /// fail if the flag is set before the commit.
    open: AtomicBool,
    value: T,
}

impl<T> Fenced<T> {
    const_fn! {
        /// A new entry, not yet validated, for a value that was loaded after `stamp` was taken.
        #[inline]
        #[must_use]
        pub const fn new(stamp: Stamp, value: T) -> Self {
            Self { stamp, open: AtomicBool::new(false), value }
        }
    }

    /// The value, if it may be served: for an entry that a lookup has just found in the cache, or that the caller
    /// itself has just put there.
    ///
    /// The first hit validates the entry with [`read_commit`](RawSeqSchedLock::read_commit); later hits only
    /// load a flag. `None` means that an update overlapped the load, or still does: treat the entry as a
    /// miss and replace it.
    ///
    /// Do not use it on an entry that has not been published yet, or that a load handed over: see
    /// [traps](Self#traps). `fence` must be the lock that made the stamp.
    ///
    /// Ordering: none beyond that of the lookup, which must make visible what was put into the cache. The
    /// validation is a sequentially consistent fence.
    #[inline]
    pub fn hit<W: Wait>(&self, fence: &RawSeqSchedLock<W>) -> Option<&T> {
        if !self.open.load(Ordering::Relaxed) {
            self.fresh(fence)?;
            self.open.store(true, Ordering::Relaxed);
        }
        Some(&self.value)
    }

    /// The value, if no update has begun since its stamp was taken: for an entry that a load handed over.
    ///
    /// A cache that runs one load for many waiters gives all of them what that load returned, however long
    /// ago it began. `Some` means that the value is still what the source says; only an update that begins later
    /// can change that. `None` means that an update ran or still runs: try again.
    ///
    /// Unlike [`hit`](Self::hit) it remembers nothing, so you can ask it about any entry at any time. It
    /// refuses more: after any later update of any key under the same lock it is `None` for good, while a hit
    /// stays a hit.
    ///
    /// Ordering: a sequentially consistent fence.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqschedlock::{Conflict, Fenced, RawSeqSchedLock, Spin};
    ///
    /// let fence = RawSeqSchedLock::<Spin>::new();
    /// let entry = Fenced::new(fence.read_begin()?, "loaded");
    /// assert_eq!(entry.fresh(&fence), Some(&"loaded"));
    ///
    /// drop(fence.write());
    /// assert_eq!(entry.fresh(&fence), None);
    /// # Ok::<(), Conflict>(())
    /// ```
    #[inline]
    pub fn fresh<W: Wait>(&self, fence: &RawSeqSchedLock<W>) -> Option<&T> {
        fence.read_commit(self.stamp).ok()?;
        Some(&self.value)
    }

    /// The value, whether or not it may be served to others.
    ///
    /// Use it in the caller whose own load made the entry (that load began after the call did), to look at the
    /// key, the size or the age of an entry, or after a `hit` or a `fresh` of the same entry.
    #[inline]
    pub const fn unvalidated(&self) -> &T {
        &self.value
    }

    /// The value, whether or not it may be served to others: as [`unvalidated`](Self::unvalidated).
    #[inline]
    #[must_use = "drop the entry if the value is not wanted"]
    pub fn into_inner(self) -> T {
        self.value
    }
}

/// Prints the value, whether or not it may be served, and whether a finder has validated it.
impl<T: fmt::Debug> fmt::Debug for Fenced<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fenced")
            .field("open", &self.open.load(Ordering::Relaxed))
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}
