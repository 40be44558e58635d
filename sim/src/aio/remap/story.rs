//! The race at full speed: a mover and a destroyer, round after round.

use core::hint::spin_loop;
use core::sync::atomic::{
    AtomicU32,
    Ordering::{AcqRel, Acquire},
};
use std::panic::resume_unwind;
use std::thread;

use super::check::Violation;
use super::mm::Mm;
use super::mremap::{MREMAP_FIXED, MREMAP_MAYMOVE};
use super::ring_file::PAGE_SIZE;
use super::version::Rules;
use crate::aio::errno::Errno;

/// Where the ring is moved to.
const NEW: u64 = 0x1000_0000;
/// The most turns of a loop by which one of two threads is late.
const LATENESS: u64 = 128;

/// The outcomes of some rounds of a story.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rounds in all. Each is in one of the next six.
    pub rounds: u64,
    /// The ring moved, and the destroyer was told that its old id is no longer one.
    pub moved: u64,
    /// The ring moved, and was destroyed all the same: the destroyer had found it before.
    pub moved_and_destroyed: u64,
    /// The move was refused, since the ring was being destroyed.
    pub refused: u64,
    /// The ring was destroyed before it could move.
    pub too_late: u64,
    /// Neither moved nor destroyed. Should be 0.
    pub both_failed: u64,
    /// Other answers. Should be 0.
    pub other_answers: u64,

    /// Pages of somebody else that `io_destroy` unmapped. Should be 0.
    pub innocents_unmapped: u64,
    /// Rings that stayed mapped when their context was gone. Should be 0.
    pub rings_left: u64,
    /// Rings that could not be found where they were, or could be found elsewhere. Should be 0.
    pub wrong_ids: u64,
    /// Whatever else the checker found, such as contexts that were used after they were freed. Should be 0.
    pub other_violations: u64,
}

impl Tally {
    /// Whether nothing happened that should not.
    #[must_use]
    pub fn holds(&self) -> bool {
        let wrong = [
            self.both_failed,
            self.other_answers,
            self.innocents_unmapped,
            self.rings_left,
            self.wrong_ids,
            self.other_violations,
        ];
        wrong == [0; 6]
    }

    /// Counts a round by its two answers. `None` is an answer that neither call should give.
    pub(super) fn count(&mut self, moved: Option<Moved>, destroyed: Option<bool>) {
        self.rounds += 1;
        let outcome = match (moved, destroyed) {
            (Some(Moved::Ok), Some(false)) => &mut self.moved,
            (Some(Moved::Ok), Some(true)) => &mut self.moved_and_destroyed,
            (Some(Moved::Invalid), Some(true)) => &mut self.refused,
            (Some(Moved::Fault), Some(true)) => &mut self.too_late,
            (Some(_), Some(false)) => &mut self.both_failed,
            _ => &mut self.other_answers,
        };
        *outcome += 1;
    }

    fn count_violations(&mut self, violations: &[Violation]) {
        let mut wrong_id = false;
        for violation in violations {
            match violation {
                Violation::InnocentUnmapped { pages } => self.innocents_unmapped += pages,
                Violation::RingLeft { .. } => self.rings_left += 1,
                Violation::UserId { .. }
                | Violation::MmapBase { .. }
                | Violation::NewIdUnknown { .. }
                | Violation::OldIdAnswers { .. } => wrong_id = true,
                _ => self.other_violations += 1,
            }
        }
        self.wrong_ids += u64::from(wrong_id);
    }
}

/// What a mover was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    Ok,
    Invalid,
    Fault,
}

/// Plays the story on the model, with real threads, for as long as `go_on` returns `true`. It is called after
/// each round.
///
/// A process has a ring. One thread moves it, and maps something of its own at the old place. Meanwhile another
/// thread destroys the old id. Then every invariant is checked, and a ring that has moved away from its
/// destroyer is destroyed under its new id.
///
/// ```
/// use seqschedlock_sim::aio::remap::{Version, mover_against_destroyer};
///
/// let tally = mover_against_destroyer(Version::Y2015.rules(), |tally| tally.rounds < 100);
/// assert_eq!(tally.rounds, 100);
/// assert!(tally.holds(), "{tally:?}");
/// ```
pub fn mover_against_destroyer(rules: Rules, mut go_on: impl FnMut(&Tally) -> bool) -> Tally {
    let mut tally = Tally::default();
    loop {
        let process = Mm::new(rules);
        let old = process.io_setup(1).expect("a process may have one ring");
        let flags = MREMAP_MAYMOVE | MREMAP_FIXED;
        let (moved, destroyed) = at_once(
            tally.rounds,
            || {
                let moved = process.mremap(old, PAGE_SIZE, PAGE_SIZE, flags, NEW);
                if moved.is_ok() {
                    let mapped = process.mmap(old, PAGE_SIZE);
                    mapped.expect("the ring has just left");
                }
                moved
            },
            || process.io_destroy(old),
        );
        let moved = match moved {
            Ok(NEW) => Some(Moved::Ok),
            Err(Errno::Invalid) => Some(Moved::Invalid),
            Err(Errno::Fault) => Some(Moved::Fault),
            _ => None,
        };
        let destroyed = match destroyed {
            Ok(()) => Some(true),
            Err(Errno::Invalid) => Some(false),
            Err(_) => None,
        };
        tally.count(moved, destroyed);
        let mut checked = process.check();
        if checked.is_ok() && destroyed == Some(false) {
            process.io_destroy(NEW).expect("its id is where it is");
            checked = process.check();
        }
        tally.count_violations(&checked.err().unwrap_or_default());
        if !go_on(&tally) {
            return tally;
        }
    }
}

/// Runs two things as nearly at the same time as possible, the second one on this thread.
///
/// One of them is a little late, by more in some rounds than in others.
pub(super) fn at_once<A: Send, B>(
    round: u64,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B,
) -> (A, B) {
    let missing = AtomicU32::new(2);
    let meet = |late: bool| {
        missing.fetch_sub(1, AcqRel);
        while missing.load(Acquire) != 0 {
            // On a single CPU the other thread may need it.
            thread::yield_now();
        }
        if late {
            (0..round / 2 % LATENESS).for_each(|_| spin_loop());
        }
    };
    let one_is_late = round % 2 == 0;
    thread::scope(|scope| {
        let one = scope.spawn(|| {
            meet(one_is_late);
            one()
        });
        meet(!one_is_late);
        let other = other();
        let one = one.join().unwrap_or_else(|panic| resume_unwind(panic));
        (one, other)
    })
}
