//! Many keys, few locks: a fixed number of stripes, and each key belongs to one of them.

use core::fmt;
use core::hash::{Hash, Hasher};

use crossbeam_utils::CachePadded;

use crate::raw::{RawSeqSchedLock, WriteGuard};
use crate::sync::{array_of, const_fn};
use crate::wait::Wait;

/// A fixed number of [`RawSeqSchedLock`]s for any number of keys.
///
/// With one lock for everything, every write section conflicts with every read section: the reader of
/// one page pays for the invalidation of another. With one lock per key, nobody knows when a lock may be
/// freed. Stripes are in between: each key always belongs to the same one of `N` locks.
///
/// # When to use it and when not
///
/// Use it to fence the entries of a cache, a map or a file against their invalidation. If each entry
/// has a fixed place anyway, put a [`RawSeqSchedLock`] beside it instead: no false conflicts.
///
/// # False conflicts
///
/// Unrelated keys conflict if they share a stripe. That costs another attempt, but never gives a wrong
/// answer. Waiting inside a write section is different: a thread that holds a section for one key and
/// waits for another key waits for itself, for ever, if the two keys share a stripe (one time in N). Use
/// the `try_` forms there.
///
/// Keys are spread over the stripes as if at random, so a read section that
/// overlaps `w` write sections of other keys fails needlessly with probability
///
/// > 1 − (1 − 1/N)<sup>w</sup>, which is at most w/N.
///
/// | `w` | N = 16 | N = 64 (the default) | N = 256 | N = 1024 |
/// |---|---|---|---|---|
/// | 1 | 6.3 % | 1.6 % | 0.4 % | 0.1 % |
/// | 4 | 22.8 % | 6.1 % | 1.6 % | 0.4 % |
/// | 16 | 64.4 % | 22.3 % | 6.1 % | 1.6 % |
///
/// `w` includes the write sections that run when the read section begins and those that begin during it: about
/// (write sections per second) × (seconds a read section lasts + seconds a write section lasts).
///
/// The hash is fixed, so that a lock can be a constant and needs no source of randomness. An attacker who
/// chooses the keys can therefore pick ones that share a stripe. That slows readers down; it cannot make an
/// answer wrong. If it matters, hash with a secret of your own and pass the result to
/// [`for_index`](Self::for_index).
///
/// # How wide a stripe should be
///
/// If keys are numbered and ranges of them change at once, map a block of neighbours to each stripe, as wide as
/// such a range, instead of a single key: `for_index(page / 16)`. Beside invalidations of 16 pages, the rate of page
/// faults was 0.93 of an unprotected cache's with such blocks, and 0.71 page by page, where each invalidation
/// held a section on 16 stripes.
///
/// # Layout
///
/// Each stripe fills a cache line of its own (two on machines that fetch them in pairs): 64 stripes
/// take 8 KiB on x86-64. Stripes on the same line would slow one another down without a conflict.
///
/// `N` must be a power of two; anything else does not compile:
///
/// ```compile_fail,E0080
/// use seqschedlock::{Spin, StripedSeqSchedLock};
///
/// static STRIPES: StripedSeqSchedLock<Spin, 60> = StripedSeqSchedLock::new();
/// ```
///
/// # Examples
///
/// ```
/// use std::{collections::HashMap, sync::{Arc, Mutex}};
/// use seqschedlock::{Spin, StripedSeqSchedLock};
///
/// static STRIPES: StripedSeqSchedLock<Spin> = StripedSeqSchedLock::new();
/// let cache = Mutex::new(HashMap::new());
/// let source = Mutex::new(HashMap::from([("answer", 41)]));
///
/// // Fill: what was loaded stays in the cache only if nobody changed the key during the load.
/// let fill = |key: &'static str| {
///     STRIPES.for_key(key).publish(
///         || {
///             let loaded = Arc::new(source.lock().unwrap()[key]);
///             cache.lock().unwrap().insert(key, Arc::clone(&loaded));
///             loaded
///         },
///         |loaded| {
///             let mut cache = cache.lock().unwrap();
///             if cache.get(key).is_some_and(|there| Arc::ptr_eq(there, &loaded)) {
///                 cache.remove(key);
///             }
///         },
///     )
/// };
/// assert_eq!(*fill("answer"), 41);
///
/// // Change: the cache forgets and the source changes, both in one section.
/// let section = STRIPES.for_key("answer").write();
/// cache.lock().unwrap().remove("answer");
/// source.lock().unwrap().insert("answer", 42);
/// drop(section);
///
/// assert_eq!(*fill("answer"), 42);
/// ```
pub struct StripedSeqSchedLock<W, const N: usize = 64> {
    stripes: [CachePadded<RawSeqSchedLock<W>>; N],
}

impl<W: Wait, const N: usize> StripedSeqSchedLock<W, N> {
    const_fn! {
        /// `N` new stripes.
        #[must_use]
        pub const fn new() -> Self {
            const { assert!(N.is_power_of_two(), "the number of stripes must be a power of two") }
            Self { stripes: array_of!(CachePadded::new(RawSeqSchedLock::new()); N) }
        }
    }

    /// The stripe of a key: the same one for equal keys, from any thread, as long as the lock lives.
    ///
    /// Borrowed forms hash like their owned forms, so a `&str` finds the stripe of its `String`. Which
    /// stripe it is may change with the target and with the version of this crate or of the compiler:
    /// do not store it.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqschedlock::{Spin, StripedSeqSchedLock};
    ///
    /// let stripes = StripedSeqSchedLock::<Spin>::new();
    /// assert!(std::ptr::eq(
    ///     stripes.for_key("inode 7"),
    ///     stripes.for_key(&String::from("inode 7")),
    /// ));
    /// ```
    #[inline]
    #[must_use]
    pub fn for_key<K: Hash + ?Sized>(&self, key: &K) -> &RawSeqSchedLock<W> {
        self.for_index(self.index_for_key(key))
    }

    /// The stripe at `index` modulo `N`: for keys that are already numbered or hashed.
    ///
    /// `N` consecutive indices are on `N` different stripes.
    #[inline]
    #[must_use]
    pub fn for_index(&self, index: usize) -> &RawSeqSchedLock<W> {
        &self.stripes[index & (N - 1)]
    }

    /// The index at which [`for_index`](Self::for_index) finds the stripe of a key.
    ///
    /// To begin sections on the stripes of several keys, give their indices to [`write_range`](Self::write_range).
    /// The index may change, as [`for_key`](Self::for_key) says: do not store it.
    #[inline]
    #[must_use]
    pub fn index_for_key<K: Hash + ?Sized>(&self, key: &K) -> usize {
        let mut hasher = Fnv1a::default();
        key.hash(&mut hasher);
        // The high bits of a product depend on all bits of its factors, the low ones do not.
        let mixed = hasher.finish().wrapping_mul(GOLDEN_RATIO);
        mixed.rotate_left(N.trailing_zeros()) as usize & (N - 1)
    }

    /// The number of stripes.
    #[inline]
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "there is at least one")]
    pub const fn len(&self) -> usize {
        N
    }

    /// Begins a write section on the stripes at several indices, each modulo `N`: for a change that concerns several
    /// keys. Never waits.
    ///
    /// A stripe that comes up more than once gets one section. The guard is `N` pointers in size.
    ///
    /// # Panics
    ///
    /// If 524 288 write sections already run on one of the stripes. No section is left behind.
    ///
    /// # Examples
    ///
    /// A range of blocks, and the stripes of two keys:
    ///
    /// ```
    /// use seqschedlock::{Conflict, Spin, StripedSeqSchedLock};
    ///
    /// let stripes = StripedSeqSchedLock::<Spin>::new();
    /// let stamp = stripes.for_index(7).read_begin()?;
    /// let section = stripes.write_range(3..9);
    /// assert_eq!(section.len(), 6);
    /// drop(section);
    /// assert_eq!(stripes.for_index(7).read_commit(stamp), Err(Conflict::Race));
    ///
    /// let section = stripes.write_range(["from", "to"].map(|key| stripes.index_for_key(key)));
    /// # drop(section);
    /// # Ok::<(), Conflict>(())
    /// ```
    pub fn write_range(
        &self,
        indices: impl IntoIterator<Item = usize>,
    ) -> WriteRangeGuard<'_, W, N> {
        let mut sections = [const { None }; N];
        let mut taken = 0;
        for index in indices {
            let index = index & (N - 1);
            if sections[index].is_none() {
                sections[index] = Some(self.stripes[index].write());
                taken += 1;
            }
            if taken == N {
                break; // every stripe is taken, and the range may be very long
            }
        }
        WriteRangeGuard { sections }
    }

    /// Begins a write section on every stripe: for a change that concerns all keys. Never waits.
    ///
    /// Each stripe gives what its own section would: no read section of any key is valid if it overlaps
    /// this one, and every publication committed before, under any key, is visible inside.
    ///
    /// It costs `N` times as much as [`write`](RawSeqSchedLock::write), and the guard is `N` pointers in size.
    ///
    /// # Panics
    ///
    /// If 524 288 write sections already run on one of the stripes. No section is left behind.
    ///
    /// # Examples
    ///
    /// ```
    /// use seqschedlock::{Conflict, Spin, StripedSeqSchedLock};
    ///
    /// let stripes = StripedSeqSchedLock::<Spin>::new();
    /// let stamp = stripes.for_key("some key").read_begin()?;
    /// let section = stripes.write_all();
    /// // ... forget the whole cache ...
    /// drop(section);
    /// assert_eq!(stripes.for_key("some key").read_commit(stamp), Err(Conflict::Race));
    /// # Ok::<(), Conflict>(())
    /// ```
    #[inline]
    pub fn write_all(&self) -> WriteAllGuard<'_, W, N> {
        WriteAllGuard {
            sections: core::array::from_fn(|index| self.stripes[index].write()),
        }
    }
}

/// 2⁶⁴ divided by the golden ratio, rounded to an odd number.
const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;

/// The Fowler–Noll–Vo hash: short, without secrets, and known for spreading short keys well.
struct Fnv1a(u64);

impl Default for Fnv1a {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv1a {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

impl<W: Wait, const N: usize> Default for StripedSeqSchedLock<W, N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints the number of stripes and how many sections run on them in total. Never blocks.
impl<W: Wait, const N: usize> fmt::Debug for StripedSeqSchedLock<W, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let writers: usize = self.stripes.iter().map(|stripe| stripe.writers()).sum();
        f.debug_struct("StripedSeqSchedLock")
            .field("stripes", &N)
            .field("writers", &writers)
            .finish_non_exhaustive()
    }
}

/// A running write section on every stripe. Dropping the guard ends the section.
///
/// What [`WriteGuard`] says about one lock holds for each stripe.
#[must_use = "the write section ends when the guard is dropped, here at once"]
pub struct WriteAllGuard<'a, W: Wait, const N: usize> {
    sections: [WriteGuard<'a, W>; N],
}

impl<W: Wait, const N: usize> WriteAllGuard<'_, W, N> {
    /// Ends the section as one that changed nothing: see [`WriteGuard::cancel`].
    pub fn cancel(self) {
        self.sections.into_iter().for_each(WriteGuard::cancel);
    }
}

impl<W: Wait, const N: usize> fmt::Debug for WriteAllGuard<'_, W, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteAllGuard")
            .field("stripes", &self.sections.len())
            .finish_non_exhaustive()
    }
}

/// A running write section on some stripes. Dropping the guard ends the section.
///
/// What [`WriteGuard`] says about one lock holds for each of these stripes.
#[must_use = "the write section ends when the guard is dropped, here at once"]
pub struct WriteRangeGuard<'a, W: Wait, const N: usize> {
    sections: [Option<WriteGuard<'a, W>>; N],
}

impl<W: Wait, const N: usize> WriteRangeGuard<'_, W, N> {
    /// The number of stripes it runs on.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sections.iter().flatten().count()
    }

    /// Whether it runs on no stripe, because there were no indices.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends the section as one that changed nothing: see [`WriteGuard::cancel`].
    pub fn cancel(self) {
        self.sections
            .into_iter()
            .flatten()
            .for_each(WriteGuard::cancel);
    }
}

impl<W: Wait, const N: usize> fmt::Debug for WriteRangeGuard<'_, W, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteRangeGuard")
            .field("stripes", &self.len())
            .finish_non_exhaustive()
    }
}
