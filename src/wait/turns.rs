//! Writers in line for a turn: of a cell, or at a gate.
//!
//! The end of a turn wakes the first writer in line, and no other. A writer that arrives at that moment may take the
//! turn before the woken one is awake, so the turn is in use while that one wakes up. But a writer that has
//! lost in this way several times is *handed* the turn, and nobody else has it in between. So throughput
//! is that of a mutex that allows barging, and no writer loses for long: a newcomer would have to be faster, again
//! and again, than the few instructions between the end of a turn and its being handed over.
//!
//! Three rules keep a wake-up from getting lost with its receiver:
//! - a writer that has waited asks again as it takes its turn, so that the end of that turn wakes the next;
//! - a writer that has been woken, and leaves without the turn, passes the wake-up on;
//! - a writer that is handed a turn and leaves ends that turn.

use core::future::poll_fn;
use core::task::Poll;

use super::park::{Park, spin_briefly};
use super::queue::{Queue, Ticket, Waiter, Waiters, wake_each};
use super::{Wait, Writers};
use crate::sync::LOSSES_BEFORE_HANDING_OVER;
use crate::word::Running;
use crate::word::cell::{CellWord, Turn};

#[derive(Default)]
pub(super) struct Turns {
    pub(super) waiters: Waiters,
    /// A turn that has been handed over, and the ticket of its new owner, which has not looked yet.
    handed: Option<(u64, Turn)>,
}

impl Turns {
    /// Takes the first writer out of the line, to be woken. Hands the turn over if it is free and this writer has lost
    /// often enough.
    fn next(&mut self, word: &CellWord) -> Option<Waiter> {
        let first = self.waiters.first()?;
        #[allow(
            clippy::absurd_extreme_comparisons,
            reason = "a model hands over at once"
        )]
        if first.losses >= LOSSES_BEFORE_HANDING_OVER {
            let turn = word.take_turn_after_waiting();
            self.handed = turn.map(|turn| (first.number, turn)).or(self.handed.take());
        }
        self.waiters.leave(first.number)
    }

    fn take_handed(&mut self, number: u64) -> Option<Turn> {
        let handed = self.handed.take_if(|(owner, _)| *owner == number);
        handed.map(|(_, turn)| turn)
    }
}

/// What has happened to a place in the line.
enum News {
    Waits,
    Woken,
    Handed(Turn),
}

/// A writer that wants its turn. Dropping it leaves the line, and passes on a wake-up that it has not used.
struct Place<'a> {
    queue: &'a Queue,
    word: &'a CellWord,
    /// From the first time in line.
    ticket: Option<Ticket>,
    in_line: bool,
    /// It was woken and has not used that: neither taken the turn, nor found somebody who will wake the next.
    owes_a_wake_up: bool,
}

impl<'a> Place<'a> {
    fn new(queue: &'a Queue, word: &'a CellWord) -> Self {
        Self {
            queue,
            word,
            ticket: None,
            in_line: false,
            owes_a_wake_up: false,
        }
    }

    /// Takes the turn if nobody has it; after a wait in line, asks again.
    fn take(&mut self) -> Option<Turn> {
        let turn = match self.ticket {
            None => self.word.take_turn(),
            Some(_) => self.word.take_turn_after_waiting(),
        };
        self.owes_a_wake_up &= turn.is_none();
        turn
    }

    /// Enters the line, at its earlier place if it had one; then asks to be woken. It does not wait if nobody has
    /// the turn any more.
    fn enter(&mut self, waiter: Waiter) -> News {
        {
            let waiters = &mut self.queue.lock().turns.waiters;
            let ticket = *self.ticket.get_or_insert_with(|| waiters.new_ticket());
            waiters.enter(ticket, waiter);
        }
        self.in_line = true;
        // First the queue, then the request: the writer that sees the request finds the entry.
        if self.word.turn().request_wake() {
            self.owes_a_wake_up = false;
            return News::Waits;
        }
        match self.leave() {
            News::Waits => News::Woken,
            news => news,
        }
    }

    /// Looks for the wake-up; if it has not arrived, it will go to `waiter` from now on.
    fn look(&mut self, mut waiter: Option<Waiter>) -> News {
        let Some(Ticket { number, .. }) = self.ticket else {
            return News::Woken;
        };
        let mut lines = self.queue.lock();
        let waits = lines.turns.waiters.still_waits(number, waiter.as_mut());
        drop(lines);
        // Before anything is taken that would be lost if this panicked.
        drop(waiter);
        if waits { News::Waits } else { self.leave() }
    }

    /// Leaves the line, and tells what had happened to the place.
    fn leave(&mut self) -> News {
        let Some(ticket) = &mut self.ticket else {
            return News::Woken;
        };
        let mut lines = self.queue.lock();
        let waited = lines.turns.waiters.leave(ticket.number);
        let handed = lines.turns.take_handed(ticket.number);
        drop(lines);
        self.in_line = false;
        match (waited, handed) {
            (Some(waiter), _) => {
                drop(waiter); // unlocked
                News::Waits
            }
            (None, Some(turn)) => {
                self.owes_a_wake_up = false;
                News::Handed(turn)
            }
            (None, None) => {
                self.owes_a_wake_up = true;
                ticket.losses += 1; // it has lost, unless it takes the turn now
                News::Woken
            }
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.in_line {
            if let News::Handed(turn) = self.leave() {
                end(self.queue, self.word, turn);
            }
        }
        if self.owes_a_wake_up {
            let next = self.queue.lock().turns.next(self.word);
            wake_each(next.into_iter());
        }
    }
}

/// Wakes the next in line and all readers, after a turn has ended.
fn wake(queue: &Queue, word: &CellWord) {
    let Some(mut lines) = queue.lock_if_made() else {
        return;
    };
    let readers = lines.readers.all();
    let next = lines.turns.next(word);
    drop(lines);
    wake_each(readers.chain(next));
}

/// Ends a turn in which nothing was done.
fn end(queue: &Queue, word: &CellWord, turn: Turn) {
    if word.give_up(turn, Park::WAKES) {
        wake(queue, word);
    }
}

impl Park {
    /// Wakes all readers, and the next in line for a turn. Called by a writer whose turn has ended, if a wake-up
    /// was requested.
    #[cold]
    pub(crate) fn wake_turn(&self, word: &CellWord) {
        wake(&self.queue, word);
    }

    /// Waits for a turn and takes it. The future leaves nothing behind if it is dropped.
    pub(crate) async fn take_turn_async(&self, word: &CellWord) -> Turn {
        let mut place = Place::new(&self.queue, word);
        poll_fn(|context| {
            let mut news = match place.in_line {
                true => place.look(Some(Waiter::task(context))),
                false => News::Woken,
            };
            loop {
                match news {
                    News::Waits => return Poll::Pending,
                    News::Handed(turn) => return Poll::Ready(turn),
                    News::Woken => {}
                }
                if let Some(turn) = place.take() {
                    return Poll::Ready(turn);
                }
                news = place.enter(Waiter::task(context));
            }
        })
        .await
    }
}

/// Where threads can block.
#[cfg(all(feature = "std", not(target_family = "wasm")))]
mod threads {
    use std::time::Instant;

    use super::*;
    use crate::sync::{current, park, park_until, passed};

    impl Park {
        /// Waits for a turn and takes it; `None` if `deadline` has passed first.
        pub(crate) fn take_turn_until(
            &self,
            word: &CellWord,
            deadline: Option<Instant>,
        ) -> Option<Turn> {
            let over = || deadline.is_some_and(passed);
            let mut place = Place::new(&self.queue, word);
            loop {
                spin_briefly(&Writers::new(&word.turn()), over);
                let taken = place.take();
                if taken.is_some() || over() {
                    return taken;
                }
                let mut news = place.enter(Waiter::Thread(current()));
                loop {
                    match news {
                        News::Waits => {}
                        News::Woken => break,
                        News::Handed(turn) => return Some(turn),
                    }
                    match deadline {
                        None => park(),
                        Some(deadline) if park_until(deadline) => {
                            return match place.leave() {
                                News::Handed(turn) => Some(turn),
                                News::Waits | News::Woken => place.take(), // the last look
                            };
                        }
                        Some(_) => {}
                    }
                    news = place.look(None);
                }
            }
        }

        /// Waits for a turn and takes it.
        pub(crate) fn take_turn(&self, word: &CellWord) -> Turn {
            self.take_turn_until(word, None)
                .expect("there is no deadline that could pass")
        }
    }
}

/// Where threads cannot block.
#[cfg(not(all(feature = "std", not(target_family = "wasm"))))]
impl Park {
    /// Waits for a turn and takes it.
    pub(crate) fn take_turn(&self, word: &CellWord) -> Turn {
        loop {
            spin_briefly(&Writers::new(&word.turn()), || false);
            if let Some(turn) = word.take_turn() {
                return turn;
            }
        }
    }
}
