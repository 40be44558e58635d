//! The state word, and the only module that contains memory orderings of the protocol.
//!
//! A word counts the write sections that run (`writers`) and those that have ended (`sequence`), and
//! remembers whether a reader wants to be woken. Two layouts have the same methods:
//!
//! - `packed`: one `AtomicU64`, so that one load is a snapshot of everything;
//! - `split`: two `AtomicU32`, the layout of 2005, for targets without 64-bit atomics
//!   (`--cfg seqschedlock_split` asks for it anywhere).
//!
//! `SeqSchedCell` has a word of its own, `cell`, in which writers exclude one another. `wide` and
//! `narrow` give it the integers to count with in each layout.
//!
//! `docs/memory-ordering.md` has the argument; every comment here names the partner of its line.

pub(crate) mod cell;

// The layout is chosen here and nowhere else. Tests have both words.
#[cfg(any(seqschedlock_split, not(target_has_atomic = "64")))]
#[path = "word/narrow.rs"]
mod layout;
#[cfg(not(any(seqschedlock_split, not(target_has_atomic = "64"))))]
#[path = "word/wide.rs"]
mod layout;
#[cfg(any(test, not(any(seqschedlock_split, not(target_has_atomic = "64")))))]
mod packed;
#[cfg(any(test, seqschedlock_split, not(target_has_atomic = "64")))]
mod split;

pub(crate) use layout::lock::Word;

for_models! {
    pub use layout::lock::{PROVEN, Protocol, with_protocol};
}

use crate::sync::{
    atomic::{self, Ordering},
    for_models,
};

/// The largest number of write sections that may run on one lock at a time.
///
/// Half of what the packed word can count: the other half is room for threads that have counted
/// themselves in and have not yet noticed that they are over the limit.
pub(crate) const MAX_WRITERS: u32 = 1 << 19;

/// A fence that may have been weakened to nothing.
#[inline(always)]
fn fence(order: Ordering) {
    if !matches!(order, Ordering::Relaxed) {
        atomic::fence(order);
    }
}

/// The full fence between a writer's entry and its first look at what readers have published.
#[inline(always)]
fn fence_after_entry(order: Ordering) {
    if crate::sync::LOCKED_RMW_IS_FULL_FENCE {
        // The machine needs nothing more, but the compiler must keep the section after the entry.
        core::sync::atomic::compiler_fence(order);
    } else {
        fence(order);
    }
}

/// The writers that a waiting thread or task waits for, as it sees them.
pub(crate) trait Running {
    /// How many still run. Relaxed: a hint, out of date as soon as it is read.
    fn writers(&self) -> u32;

    /// Asks for a wake-up by the last of them; `false` if none is left to give it.
    fn request_wake(&self) -> bool;
}

impl Running for Word {
    #[inline]
    fn writers(&self) -> u32 {
        self.writers()
    }

    fn request_wake(&self) -> bool {
        self.request_wake()
    }
}

/// The last writer's answer to a reader's request: clear the request, then wake.
///
/// In this order. A reader that asks between the two is woken by the second step. If the bit were
/// cleared last, its request would be wiped out unanswered.
fn answer(clears_before_waking: bool, clear: impl FnOnce(), wake: impl FnOnce()) {
    if clears_before_waking {
        clear();
        wake();
    } else {
        wake();
        clear();
    }
}

#[cfg(test)]
mod tests;
