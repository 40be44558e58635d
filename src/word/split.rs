//! Two `AtomicU32`, the layout of the 2005 patch: for targets without 64-bit atomics.
//!
//! Two loads are not a snapshot. The order in which each side accesses the words makes up for that:
//! a writer counts its section as ended *before* it counts itself out, and a reader checks for writers
//! *before* it reads the sequence. The other order accepts torn reads.
//!
//! The sequence has 32 bits: exactly 2³² write sections within one read section go unnoticed.

use super::{MAX_WRITERS, answer, fence, fence_after_entry};
use crate::conflict::{Conflict, Stamp};
use crate::sync::{
    LOCKED_RMW_IS_FULL_FENCE,
    atomic::{AtomicU32, Ordering},
    const_fn, protocol,
};

/// One running write section: the bits from 0 to 30 of `writers`.
const WRITER_ONE: u32 = 1;
/// All of the writer count.
const WRITERS: u32 = WAKE - 1;
/// A reader wants to be woken by the last writer out.
const WAKE: u32 = 1 << 31;

/// Every choice the split protocol makes.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// The load of `writers` that begins a read section.
    pub begin_writers: Ordering,
    /// The load of `sequence` after it.
    pub begin: Ordering,
    /// The fence between what was looked at and the loads that validate it.
    pub end_fence: Ordering,
    /// The fence between what was published and the loads that validate it.
    pub commit_fence: Ordering,
    /// The load of `writers` that validates.
    pub end_writers: Ordering,
    /// Whether that load comes before the one of `sequence` (it must).
    pub ends_with_sequence: bool,
    /// The read-modify-write that counts a writer in.
    pub enter: Ordering,
    /// The fence after it.
    pub enter_fence: Ordering,
    /// The read-modify-write that counts the section as ended.
    pub exit_sequence: Ordering,
    /// The read-modify-write that counts a writer out.
    pub exit_writers: Ordering,
    /// The compare-and-swap by which a reader that is about to block asks to be woken.
    pub request: Ordering,
    /// The read-modify-write by which the last writer takes that request.
    pub clear: Ordering,
    /// Whether the last writer takes the request before it wakes (it must).
    pub clears_before_waking: bool,
    /// Whether a reader asks before it blocks (it must).
    pub asks_before_blocking: bool,
}

protocol! {
    /// The proven choices. For each, `tests/loom/weakened.rs` has a model that fails without it.
    const PROVEN: Protocol = Protocol {
        // Pairs with `exit_writers`: a reader that sees a writer gone sees its section counted, and all that
        // it wrote. Without it, a reader that waited for a section could still miss what the section did.
        begin_writers: Ordering::Acquire,
        // Pairs with `exit_sequence`: a reader that sees a section counted as ended sees all that it wrote.
        // Without it, a new sequence could be read together with old data, because the section is counted
        // before its writer is gone.
        begin: Ordering::Acquire,
        // Pairs with `enter_fence`: a reader that has seen one write of a section sees its entry, so the
        // load of `writers` is not older than the data it validates.
        end_fence: Ordering::Acquire,
        // Pairs with `enter_fence`, both sequentially consistent: of a publication and a write
        // section that cross, at least one sees the other. Anything less is store buffering.
        commit_fence: Ordering::SeqCst,
        // Pairs with `exit_writers`: a reader that sees the writer gone sees its section counted.
        end_writers: Ordering::Acquire,
        ends_with_sequence: true,
        // The fence after it does all the ordering. Where the fence is elided, this operation must
        // restrain the compiler itself.
        enter: if LOCKED_RMW_IS_FULL_FENCE { Ordering::SeqCst } else { Ordering::Relaxed },
        // Pairs with `end_fence` (the section's writes stay after the entry) and with
        // `commit_fence` (so do its loads).
        enter_fence: Ordering::SeqCst,
        // Pairs with `begin`.
        exit_sequence: Ordering::Release,
        // Pairs with `end_writers`. Later writers change the word only by read-modify-writes, and so
        // extend this release sequence.
        exit_writers: Ordering::Release,
        // Pairs with `clear`: the waker sees the reader's place in the queue.
        request: Ordering::Release,
        // Pairs with `request`.
        clear: Ordering::Acquire,
        clears_before_waking: true,
        asks_before_blocking: true,
    };
}

/// The state of a lock.
#[repr(C)]
pub(crate) struct Word {
    /// `wake 1 | writers 31`
    ///
    /// | writers | wake | what it means | what comes next |
    /// |---|---|---|---|
    /// | 0 | 0 | at rest | a writer enters |
    /// | n | 0 | n sections run (the last may already have counted itself in `sequence`) | enter, exit, or a reader asks to be woken |
    /// | n | 1 | n sections run and a reader blocks, or is about to | the last one out sees the bit in the value that its exit returns |
    /// | 0 | 1 | the last one is out and about to answer | it clears the bit, then wakes; a writer may enter before it does |
    writers: AtomicU32,
    /// How many sections have ended, wrapping. Changed while the section still counts as running.
    sequence: AtomicU32,
}

impl Word {
    const_fn! {
        #[inline]
        pub(crate) const fn new() -> Self {
            Self { writers: AtomicU32::new(0), sequence: AtomicU32::new(0) }
        }
    }

    #[inline]
    pub(crate) fn begin(&self) -> Result<Stamp, Conflict> {
        // In this order: if a writer is seen to be gone, its section is in the sequence.
        if self.writers.load(protocol().begin_writers) & WRITERS != 0 {
            return Err(Conflict::WriterRunning);
        }
        Ok(Stamp(self.sequence.load(protocol().begin).into()))
    }

    #[inline]
    pub(crate) fn end(&self, stamp: Stamp) -> Result<(), Conflict> {
        fence(protocol().end_fence);
        self.validate(stamp)
    }

    #[inline]
    pub(crate) fn commit(&self, stamp: Stamp) -> Result<(), Conflict> {
        fence(protocol().commit_fence);
        self.validate(stamp)
    }

    #[inline]
    fn validate(&self, stamp: Stamp) -> Result<(), Conflict> {
        let (writers, sequence);
        if protocol().ends_with_sequence {
            writers = self.writers.load(protocol().end_writers);
            // Relaxed: the load before it orders it, and nothing is read after it.
            sequence = self.sequence.load(Ordering::Relaxed);
        } else {
            sequence = self.sequence.load(protocol().end_writers);
            writers = self.writers.load(Ordering::Relaxed);
        }
        if writers & WRITERS != 0 {
            Err(Conflict::WriterRunning)
        } else if u64::from(sequence) != stamp.0 {
            Err(Conflict::Race)
        } else {
            Ok(())
        }
    }

    /// Counts a writer in; returns whether there was room for it. It is counted either way.
    #[inline]
    #[must_use]
    pub(crate) fn enter(&self) -> bool {
        let old = self.writers.fetch_add(WRITER_ONE, protocol().enter);
        fence_after_entry(protocol().enter_fence);
        old & WRITERS < MAX_WRITERS
    }

    /// Ends a write section; returns whether a request needs an [`answer`](Self::answer).
    #[inline]
    #[must_use]
    pub(crate) fn exit(&self) -> bool {
        self.sequence.fetch_add(1, protocol().exit_sequence);
        last_with_request(self.writers.fetch_sub(WRITER_ONE, protocol().exit_writers))
    }

    /// As [`exit`](Self::exit), for a section that nobody owns; `None` if none runs.
    pub(crate) fn exit_one(&self) -> Option<bool> {
        if self.writers() == 0 {
            return None;
        }
        // One too many if another caller is faster: readers race once more than they must.
        self.sequence.fetch_add(1, protocol().exit_sequence);
        self.writers
            .fetch_update(protocol().exit_writers, Ordering::Relaxed, |writers| {
                (writers & WRITERS != 0).then(|| writers - WRITER_ONE)
            })
            .ok()
            .map(last_with_request)
    }

    /// Ends a write section that changed nothing: as [`exit`](Self::exit), but no reader races.
    #[inline]
    #[must_use]
    pub(crate) fn cancel(&self) -> bool {
        // Relaxed: there is nothing to release, and it continues the release sequences of others.
        last_with_request(self.writers.fetch_sub(WRITER_ONE, Ordering::Relaxed))
    }

    /// Asks for a wake-up by the last writer out; `false` if no writer is left to give it.
    pub(crate) fn request_wake(&self) -> bool {
        if !protocol().asks_before_blocking {
            return true;
        }
        // Even if the bit is already set: the writer must synchronise with *this* reader.
        self.writers
            .fetch_update(protocol().request, Ordering::Relaxed, |writers| {
                (writers & WRITERS != 0).then_some(writers | WAKE)
            })
            .is_ok()
    }

    /// Takes the request and wakes the readers that made it.
    #[cold]
    #[inline(never)] // a writer with no waiting readers has two locked instructions and no third
    pub(crate) fn answer(&self, wake: impl FnOnce()) {
        let clear = || {
            self.writers.fetch_and(!WAKE, protocol().clear);
        };
        answer(protocol().clears_before_waking, clear, wake);
    }

    /// How many write sections run. Relaxed: a hint, out of date as soon as it is read.
    #[inline]
    pub(crate) fn writers(&self) -> u32 {
        self.writers.load(Ordering::Relaxed) & WRITERS
    }

    /// How many write sections have ended, for `Debug`.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Relaxed).into()
    }
}

#[inline]
fn last_with_request(old: u32) -> bool {
    old & (WRITERS | WAKE) == WRITER_ONE | WAKE
}

#[cfg(test)]
impl Word {
    /// A word at rest whose sequence has `left` sections to go before it wraps.
    pub(crate) const fn before_wrap(left: u64) -> Self {
        Self {
            writers: AtomicU32::new(0),
            sequence: AtomicU32::new(left.wrapping_neg() as u32),
        }
    }
}
