//! One `AtomicU64`: a single load is a snapshot of writers, sequence and wake request.

use super::{MAX_WRITERS, answer, fence, fence_after_entry};
use crate::conflict::{Conflict, Stamp};
use crate::sync::{
    LOCKED_RMW_IS_FULL_FENCE,
    atomic::{AtomicU64, Ordering},
    const_fn, protocol,
};

/// One running write section: the 20 bits from 0 to 19.
const WRITER_ONE: u64 = 1;
/// All of the writer count.
const WRITERS: u64 = (1 << 20) - 1;
/// A reader wants to be woken by the last writer out.
const WAKE: u64 = 1 << 20;
/// One write section that has ended: the 43 bits from 21 to 63. Its carry falls off the top.
const SEQUENCE_ONE: u64 = 1 << 21;

/// Every choice the packed protocol makes.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// The load that begins a read section.
    pub begin: Ordering,
    /// The fence between what was looked at and the load that validates it.
    pub end_fence: Ordering,
    /// The fence between what was published and the load that validates it.
    pub commit_fence: Ordering,
    /// The read-modify-write that counts a writer in.
    pub enter: Ordering,
    /// The fence after it.
    pub enter_fence: Ordering,
    /// The read-modify-write that counts a writer out and the section as ended.
    pub exit: Ordering,
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
        // Pairs with `exit`: a reader that sees a section counted as ended sees all that it wrote.
        // Without it, a new sequence could be read together with old data.
        begin: Ordering::Acquire,
        // Pairs with `enter_fence`: a reader that has seen one write of a section sees its entry.
        // Without it, the validating load could be older than the data it validates.
        end_fence: Ordering::Acquire,
        // Pairs with `enter_fence`, both sequentially consistent: of a publication and a write
        // section that cross, at least one sees the other. Anything less is store buffering.
        commit_fence: Ordering::SeqCst,
        // The fence after it does all the ordering. Where the fence is elided, this operation must
        // restrain the compiler itself.
        enter: if LOCKED_RMW_IS_FULL_FENCE { Ordering::SeqCst } else { Ordering::Relaxed },
        // Pairs with `end_fence` (the section's writes stay after the entry) and with
        // `commit_fence` (so do its loads).
        enter_fence: Ordering::SeqCst,
        // Pairs with `begin`. All changes of the word are read-modify-writes, so later
        // writers extend this release sequence instead of breaking it.
        exit: Ordering::Release,
        // Pairs with `clear`: the waker sees the reader's place in the queue.
        request: Ordering::Release,
        // Pairs with `request`.
        clear: Ordering::Acquire,
        clears_before_waking: true,
        asks_before_blocking: true,
    };
}

/// The state of a lock.
#[repr(transparent)]
pub(crate) struct Word {
    /// `sequence 43 | wake 1 | writers 20`
    ///
    /// | writers | wake | what it means | what comes next |
    /// |---|---|---|---|
    /// | 0 | 0 | at rest | a writer enters |
    /// | n | 0 | n sections run | enter, exit, or a reader asks to be woken |
    /// | n | 1 | n sections run and a reader blocks, or is about to | the last one out sees the bit in the value that its exit returns |
    /// | 0 | 1 | the last one is out and about to answer | it clears the bit, then wakes; a writer may enter before it does |
    ///
    /// The wake bit is not part of the sequence, so a stamp leaves it out.
    state: AtomicU64,
}

impl Word {
    const_fn! {
        #[inline]
        pub(crate) const fn new() -> Self {
            Self { state: AtomicU64::new(0) }
        }
    }

    #[inline]
    pub(crate) fn begin(&self) -> Result<Stamp, Conflict> {
        let state = self.state.load(protocol().begin);
        if state & WRITERS == 0 {
            Ok(Stamp(state & !WAKE))
        } else {
            Err(Conflict::WriterRunning)
        }
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
        // Relaxed: the fence before it orders it, and nothing is read after it.
        let state = self.state.load(Ordering::Relaxed);
        if state == stamp.0 {
            Ok(())
        } else {
            compare(stamp, state)
        }
    }

    /// Counts a writer in; returns whether there was room for it. It is counted either way.
    #[inline]
    #[must_use]
    pub(crate) fn enter(&self) -> bool {
        let old = self.state.fetch_add(WRITER_ONE, protocol().enter);
        fence_after_entry(protocol().enter_fence);
        old & WRITERS < u64::from(MAX_WRITERS)
    }

    /// Ends a write section; returns whether a request needs an [`answer`](Self::answer).
    #[inline]
    #[must_use]
    pub(crate) fn exit(&self) -> bool {
        last_with_request(
            self.state
                .fetch_add(SEQUENCE_ONE - WRITER_ONE, protocol().exit),
        )
    }

    /// As [`exit`](Self::exit), for a section that nobody owns; `None` if none runs.
    pub(crate) fn exit_one(&self) -> Option<bool> {
        self.state
            .fetch_update(protocol().exit, Ordering::Relaxed, |state| {
                (state & WRITERS != 0).then(|| state.wrapping_add(SEQUENCE_ONE - WRITER_ONE))
            })
            .ok()
            .map(last_with_request)
    }

    /// Ends a write section that changed nothing: as [`exit`](Self::exit), but no reader races.
    #[inline]
    #[must_use]
    pub(crate) fn cancel(&self) -> bool {
        // Relaxed: there is nothing to release, and it continues the release sequences of others.
        last_with_request(self.state.fetch_sub(WRITER_ONE, Ordering::Relaxed))
    }

    /// Asks for a wake-up by the last writer out; `false` if no writer is left to give it.
    pub(crate) fn request_wake(&self) -> bool {
        if !protocol().asks_before_blocking {
            return true;
        }
        // Even if the bit is already set: the writer must synchronise with *this* reader.
        self.state
            .fetch_update(protocol().request, Ordering::Relaxed, |state| {
                (state & WRITERS != 0).then_some(state | WAKE)
            })
            .is_ok()
    }

    /// Takes the request and wakes the readers that made it.
    #[cold]
    #[inline(never)] // a writer with no waiting readers has two locked instructions and no third
    pub(crate) fn answer(&self, wake: impl FnOnce()) {
        let clear = || {
            self.state.fetch_and(!WAKE, protocol().clear);
        };
        answer(protocol().clears_before_waking, clear, wake);
    }

    /// How many write sections run. Relaxed: a hint, out of date as soon as it is read.
    #[inline]
    pub(crate) fn writers(&self) -> u32 {
        (self.state.load(Ordering::Relaxed) & WRITERS) as u32
    }

    /// How many write sections have ended, for `Debug`.
    pub(crate) fn sequence(&self) -> u64 {
        self.state.load(Ordering::Relaxed) >> SEQUENCE_ONE.trailing_zeros()
    }
}

#[inline]
fn last_with_request(old: u64) -> bool {
    old & (WRITERS | WAKE) == WRITER_ONE | WAKE
}

/// The verdict on a word that is not the stamp: a request alone does not concern readers.
#[cold]
fn compare(stamp: Stamp, state: u64) -> Result<(), Conflict> {
    if state & WRITERS != 0 {
        Err(Conflict::WriterRunning)
    } else if state & !WAKE != stamp.0 {
        Err(Conflict::Race)
    } else {
        Ok(())
    }
}

#[cfg(test)]
impl Word {
    /// A word at rest whose sequence has `left` sections to go before it wraps.
    pub(crate) const fn before_wrap(left: u64) -> Self {
        Self {
            state: AtomicU64::new((SEQUENCE_ONE * left).wrapping_neg()),
        }
    }
}
