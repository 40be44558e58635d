//! The word of a cell: one writer at a time, which delays readers only while it copies back.
//!
//! A cell's writer does in two steps what a lock's writer does in one. It takes its turn, which concerns
//! only other writers and may last long. It copies its work back, which concerns readers and is short. Both
//! are in one word, so that a plain store does both at once.
//!
//! A gate has only turns, and no copies.
//!
//! Readers only look, and publish nothing that would need validation. So a release fence after the entry
//! is enough, where a lock needs a full fence.

#![cfg_attr(
    not(feature = "cell"),
    allow(dead_code, reason = "without cells there are only turns")
)]

use super::layout::cell::{AtomicState, COUNTS_CYCLES, Cycle, Cycles, State};
use super::{Running, fence};
use crate::conflict::Conflict;
use crate::sync::{SHORT_CYCLES, atomic::Ordering, const_fn, protocol};

/// A writer has its turn.
const TURN: State = 1;
/// The writer copies back: readers race with it.
const COPYING: State = 2;
/// A waiter wants to be woken: a reader by the end of the copy, a writer by the end of the turn.
const WAKE: State = 4;
/// One copy that has ended: the bits from 3 up. Its carry falls off the top and begins a cycle.
const SEQUENCE_ONE: State = if COUNTS_CYCLES && SHORT_CYCLES {
    1 << (State::BITS - 1)
} else {
    8
};

/// Every choice that the protocol of a cell makes.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// The load of `cycles` that begins a read.
    pub begin_cycles: Ordering,
    /// The load of `state` after it.
    pub begin: Ordering,
    /// The fence between the bytes that were read and the loads that validate them.
    pub end_fence: Ordering,
    /// The load of `state` that validates, and that the load of `cycles` follows.
    pub end: Ordering,
    /// The compare-and-swap by which a writer takes its turn.
    pub turn: Ordering,
    /// Whether it takes its turn only when nobody else has it (it must).
    pub takes_turns: bool,
    /// The fence between the entry into the copy and its first byte.
    pub copy_fence: Ordering,
    /// Whether a writer that completes a cycle of the sequence counts it (it must).
    pub counts_cycles: bool,
    /// The swap that ends copy and turn and takes the request, for strategies that wake.
    pub leave: Ordering,
    /// The store that does so for strategies that never wake.
    pub leave_unasked: Ordering,
    /// The compare-and-swap by which a waiter that is about to block asks to be woken.
    pub request: Ordering,
    /// Whether a waiter asks before it blocks (it must).
    pub asks_before_blocking: bool,
    /// Whether a writer that was woken for its turn asks for another wake-up (it must).
    #[cfg(feature = "park")]
    pub passes_the_request_on: bool,
    /// The load of a value that is loaded in one access.
    pub load_whole: Ordering,
    /// The store of such a value.
    pub store_whole: Ordering,
}

protocol! {
    /// The proven choices. For each, `tests/loom_holders/weakened.rs` has a model that fails
    /// without it.
    const PROVEN: Protocol = Protocol {
        // Pairs with `copy_fence`: a reader that sees a cycle counted sees the entry of the copy that
        // completed it, so the state is not older than the cycle.
        begin_cycles: Ordering::Acquire,
        // Pairs with `leave`: a reader that sees a copy counted as ended sees all its bytes.
        begin: Ordering::Acquire,
        // Pairs with `copy_fence`: a reader that has read one byte of a copy sees its entry.
        end_fence: Ordering::Acquire,
        // Pairs with `leave`: a reader that sees a copy counted as ended sees the cycle that it completed.
        // Without cycles, the fence before it orders it, and nothing is read after it.
        end: if COUNTS_CYCLES { Ordering::Acquire } else { Ordering::Relaxed },
        // Pairs with `leave`: each writer works on what the previous one left, and its bytes come
        // after the previous one's.
        turn: Ordering::Acquire,
        takes_turns: true,
        // Pairs with `end_fence`: no byte is stored before the entry. Pairs with `begin_cycles`: no
        // cycle is counted before it either.
        copy_fence: Ordering::Release,
        counts_cycles: true,
        // The release half pairs with `begin`, `end` and `turn`. The acquire half pairs with `request`: the
        // waker sees the place in the queue.
        leave: Ordering::AcqRel,
        // As `leave`, but there are no requests to see.
        leave_unasked: Ordering::Release,
        // Pairs with `leave`.
        request: Ordering::Release,
        asks_before_blocking: true,
        #[cfg(feature = "park")]
        passes_the_request_on: true,
        // Pairs with `store_whole`: the reader sees what the writer did before it stored.
        load_whole: Ordering::Acquire,
        // Pairs with `load_whole`.
        store_whole: Ordering::Release,
    };
}

/// How to load a value that one access moves as a whole: without the word, because it cannot be torn.
#[inline(always)]
pub(crate) fn load_whole() -> Ordering {
    protocol().load_whole
}

/// How to store such a value.
#[inline(always)]
pub(crate) fn store_whole() -> Ordering {
    protocol().store_whole
}

/// The state of a cell.
pub(crate) struct CellWord {
    /// `sequence | wake 1 | copying 1 | turn 1`, the sequence with 61 bits, or the lower 29 of them
    /// without 64-bit atomics.
    ///
    /// | turn | copying | wake | what it means | what comes next |
    /// |---|---|---|---|---|
    /// | 0 | 0 | 0 | at rest | a writer takes its turn, with or without entering the copy at once |
    /// | 1 | 0 | 0 | a writer works on its private copy; readers take no notice | it enters the copy, or gives its turn up |
    /// | 1 | 1 | 0 | it copies back | it leaves |
    /// | 1 | n | 1 | as above, and a waiter blocks, is about to, or may still block | the writer whose turn it is sees the bit in the value that its leave returns |
    ///
    /// Only the writer that has the turn changes anything but the wake bit, and leaving clears all three
    /// bits at once: a state at rest has none of them.
    state: AtomicState,
    /// How often the sequence has wrapped, where it can: its upper 32 bits.
    ///
    /// Counted while the copy that completes the cycle still makes readers race. So of two equal states
    /// on either side of that copy, at least the later one comes with the new count.
    cycles: Cycles,
}

/// A turn that has been taken: the state before it, at rest, that is, the sequence with all bits clear.
#[derive(Clone, Copy)]
#[must_use]
pub(crate) struct Turn(State);

/// What a reader saw when it began.
#[derive(Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) struct Seen {
    state: State,
    cycle: Cycle,
}

impl CellWord {
    const_fn! {
        #[inline]
        pub(crate) const fn new() -> Self {
            Self { state: AtomicState::new(0), cycles: Cycles::new() }
        }
    }

    #[inline]
    pub(crate) fn begin(&self) -> Result<Seen, Conflict> {
        // In this order. A cycle that is completed between the two only makes the reader race.
        let cycle = self.cycles.load(protocol().begin_cycles);
        let state = self.state.load(protocol().begin);
        if state & COPYING == 0 {
            Ok(Seen { state, cycle })
        } else {
            Err(Conflict::WriterRunning)
        }
    }

    #[inline]
    pub(crate) fn end(&self, seen: Seen) -> Result<(), Conflict> {
        fence(protocol().end_fence);
        // In this order: if the cycle were read first, it could be completed between the two.
        let state = self.state.load(protocol().end);
        // Relaxed: the load before it orders it, and nothing is read after it.
        let cycle = self.cycles.load(Ordering::Relaxed);
        let now = Seen { state, cycle };
        if now == seen {
            Ok(())
        } else {
            compare(seen, now)
        }
    }

    /// Takes the turn; `None` if another writer has it.
    #[inline]
    pub(crate) fn take_turn(&self) -> Option<Turn> {
        self.take(TURN)
    }

    /// Takes the turn and enters the copy at once.
    #[inline]
    pub(crate) fn take_turn_and_enter(&self) -> Option<Turn> {
        let turn = self.take(TURN | COPYING)?;
        fence(protocol().copy_fence);
        Some(turn)
    }

    /// Takes the turn for a writer that has been woken for it, and passes the request on, so that the end of this
    /// turn wakes the next one.
    ///
    /// The end of the previous turn cleared all requests, but woke only this writer.
    #[cfg(feature = "park")]
    pub(crate) fn take_turn_after_waiting(&self) -> Option<Turn> {
        self.take(if protocol().passes_the_request_on {
            TURN | WAKE
        } else {
            TURN
        })
    }

    #[inline]
    fn take(&self, bits: State) -> Option<Turn> {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if state & TURN != 0 && protocol().takes_turns {
                return None;
            }
            match self.state.compare_exchange_weak(
                state,
                state | bits,
                protocol().turn,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(Turn(state)),
                Err(changed) => state = changed,
            }
        }
    }

    /// Enters the copy: readers race with what is stored from now on.
    #[inline]
    pub(crate) fn enter(&self, turn: Turn, wakes: bool) {
        // Relaxed: the fence orders it, and a reader that misses it fails in its own `end`.
        if wakes {
            self.state.fetch_or(COPYING, Ordering::Relaxed);
        } else {
            self.state.store(turn.0 | TURN | COPYING, Ordering::Relaxed);
        }
        fence(protocol().copy_fence);
    }

    /// Ends the copy and the turn; returns whether there is somebody to wake.
    #[inline]
    #[must_use]
    pub(crate) fn leave(&self, turn: Turn, wakes: bool) -> bool {
        let state = turn.0.wrapping_add(SEQUENCE_ONE);
        if state == 0 && protocol().counts_cycles {
            self.cycles.count();
        }
        self.rest(state, wakes)
    }

    /// Ends a turn that copied nothing back; returns whether there is somebody to wake.
    ///
    /// It still releases: what was read in this turn was read before the next writer's turn.
    #[inline]
    #[must_use]
    pub(crate) fn give_up(&self, turn: Turn, wakes: bool) -> bool {
        self.rest(turn.0, wakes)
    }

    /// `wakes` says whether the cell's strategy ever asks to be woken. If not, only the writer changes the
    /// word during its turn, and a store is enough. A strategy that asks anyway loses its request and
    /// nothing else, because a request is all that it can change during a turn.
    #[inline]
    fn rest(&self, state: State, wakes: bool) -> bool {
        if wakes {
            self.state.swap(state, protocol().leave) & WAKE != 0
        } else {
            self.state.store(state, protocol().leave_unasked);
            false
        }
    }

    /// What a reader waits for: the end of the copy.
    pub(crate) fn copy(&self) -> Awaited<'_> {
        Awaited {
            word: self,
            bit: COPYING,
        }
    }

    /// What a writer waits for: the end of the turn.
    pub(crate) fn turn(&self) -> Awaited<'_> {
        Awaited {
            word: self,
            bit: TURN,
        }
    }

    /// How many copies have ended, for `Debug`.
    pub(crate) fn sequence(&self) -> u64 {
        let sequence = self.state.load(Ordering::Relaxed) / SEQUENCE_ONE;
        self.cycles
            .extend(sequence, SEQUENCE_ONE.leading_zeros() + 1)
    }
}

/// The verdict on a word that has changed: a turn or a request alone does not concern readers.
#[cold]
fn compare(seen: Seen, now: Seen) -> Result<(), Conflict> {
    if now.state & COPYING != 0 {
        Err(Conflict::WriterRunning)
    } else if (now.state ^ seen.state) & !(TURN | WAKE) != 0 || now.cycle != seen.cycle {
        Err(Conflict::Race)
    } else {
        Ok(())
    }
}

/// A turn or a copy, as seen by those that wait for its end.
pub(crate) struct Awaited<'a> {
    word: &'a CellWord,
    bit: State,
}

impl Running for Awaited<'_> {
    fn writers(&self) -> u32 {
        (self.word.state.load(Ordering::Relaxed) & self.bit != 0).into()
    }

    fn request_wake(&self) -> bool {
        if !protocol().asks_before_blocking {
            return true;
        }
        // Even if the bit is already set: the writer must synchronise with *this* waiter.
        self.word
            .state
            .fetch_update(protocol().request, Ordering::Relaxed, |state| {
                (state & self.bit != 0).then_some(state | WAKE)
            })
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_excludes_writers_and_leaves_readers_alone() {
        let word = CellWord::new();
        let before = word.begin().unwrap();
        let turn = word.take_turn().unwrap();
        assert!(word.take_turn().is_none());
        assert!(word.take_turn_and_enter().is_none());
        let during = word.begin().unwrap();
        assert!(!word.give_up(turn, true));
        let after = word.begin().unwrap();
        for seen in [before, during, after] {
            assert_eq!(word.end(seen), Ok(()));
        }
    }

    #[test]
    fn a_copy_keeps_readers_out_and_makes_those_race_who_were_in() {
        for wakes in [false, true] {
            let word = CellWord::new();
            let before = word.begin().unwrap();
            let turn = word.take_turn().unwrap();
            let during = word.begin().unwrap();
            word.enter(turn, wakes);
            assert!(word.begin().is_err());
            assert_eq!(word.end(before), Err(Conflict::WriterRunning));
            assert!(!word.leave(turn, wakes));
            assert_eq!(word.end(before), Err(Conflict::Race));
            assert_eq!(word.end(during), Err(Conflict::Race));
            assert_eq!(word.sequence(), 1);
            assert!(word.take_turn_and_enter().is_some());
            assert!(word.begin().is_err());
        }
    }

    /// After the first copy, when the sequence has bits to compare.
    #[test]
    fn a_turn_alone_and_a_request_alone_are_no_conflict() {
        let word = CellWord::new();
        let turn = word.take_turn_and_enter().unwrap();
        assert!(!word.leave(turn, true));
        let before = word.begin().unwrap();
        let turn = word.take_turn().unwrap();
        assert_eq!(word.end(before), Ok(()), "a turn");
        assert!(word.turn().request_wake());
        assert_eq!(word.end(before), Ok(()), "a turn and a request");
        let during = word.begin().unwrap();
        assert!(word.give_up(turn, true));
        assert_eq!(word.end(before), Ok(()), "it is over");
        assert_eq!(word.end(during), Ok(()), "it is over");
    }

    #[test]
    fn a_request_is_answered_once_by_who_has_the_turn() {
        let word = CellWord::new();
        assert!(!word.turn().request_wake(), "there is nobody to wake");
        let turn = word.take_turn().unwrap();
        let seen = word.begin().unwrap();
        assert!(!word.copy().request_wake(), "nobody copies");
        assert!(word.turn().request_wake());
        assert_eq!(word.end(seen), Ok(()), "a request is no conflict");
        word.enter(turn, true);
        assert!(word.copy().request_wake());
        assert!(word.leave(turn, true));
        assert!(!word.turn().request_wake());

        let turn = word.take_turn_and_enter().unwrap();
        assert!(!word.leave(turn, true), "it was answered already");
        let turn = word.take_turn().unwrap();
        assert!(word.turn().request_wake());
        assert!(word.give_up(turn, true));
    }

    /// A word at rest with one copy to go before its sequence wraps.
    fn before_wrap() -> CellWord {
        CellWord {
            state: AtomicState::new(SEQUENCE_ONE.wrapping_neg()),
            cycles: Cycles::new(),
        }
    }

    #[test]
    fn the_sequence_wraps() {
        for wakes in [false, true] {
            let word = before_wrap();
            let last = word.begin().unwrap();
            let before = word.sequence();
            let turn = word.take_turn_and_enter().unwrap();
            assert!(!word.leave(turn, wakes));
            let goes_on = if COUNTS_CYCLES { before + 1 } else { 0 };
            assert_eq!(word.sequence(), goes_on);
            assert_eq!(word.end(last), Err(Conflict::Race));
            assert_eq!(word.end(word.begin().unwrap()), Ok(()));
            assert!(word.take_turn().is_some());
        }
    }

    #[test]
    fn a_whole_cycle_goes_unseen_only_where_it_takes_61_bits() {
        for wakes in [false, true] {
            let word = CellWord::new();
            let seen = word.begin().unwrap();
            // All copies of the cycle but the last.
            word.state
                .store(SEQUENCE_ONE.wrapping_neg(), Ordering::Relaxed);
            let turn = word.take_turn().unwrap();
            word.enter(turn, wakes);
            assert!(!word.leave(turn, wakes));
            let verdict = if COUNTS_CYCLES {
                Err(Conflict::Race)
            } else {
                Ok(())
            };
            assert_eq!(word.end(seen), verdict);
            let _turn = word.take_turn().unwrap();
            assert_eq!(word.end(seen), verdict);
        }
    }

    #[test]
    fn a_turn_that_is_given_up_completes_no_cycle() {
        let word = before_wrap();
        let seen = word.begin().unwrap();
        let turn = word.take_turn().unwrap();
        assert!(!word.give_up(turn, true));
        assert_eq!(word.end(seen), Ok(()));
    }
}
