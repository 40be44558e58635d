//! Writers of a cell in line for their turn.
//!
//! The end of a turn wakes the first writer in line, and no other. A writer that arrives at that moment may take the
//! turn before the woken one is awake, so the turn is in use while that one wakes up. But a writer that has
//! lost in this way several times in a row is *handed* the turn, and nobody else has it in between. So throughput
//! is that of a mutex that allows barging, and nobody waits for ever.
//!
//! Three rules keep a wake-up from getting lost with its receiver:
//! - a writer that has waited asks again as it takes its turn, so that the end of that turn wakes the next;
//! - a writer that is woken and leaves without trying passes the wake-up on;
//! - a writer that is handed a turn and leaves ends that turn.

use core::future::poll_fn;
use core::task::Poll;

use super::park::{Park, spin_briefly};
use super::queue::{Queue, Waiter, Waiters, wake_each};
use super::{Wait, Writers};
use crate::sync::LOSSES_BEFORE_HANDING_OVER;
use crate::word::Running;
use crate::word::cell::{CellWord, Turn};

#[derive(Default)]
pub(super) struct Turns {
    pub(super) waiters: Waiters,
    /// The ticket of the writer that was woken last, and how often it has been woken in a row.
    woken: Option<(u64, u32)>,
    /// A turn that has been handed over, and the ticket of its new owner, which has not looked yet.
    handed: Option<(u64, Turn)>,
}

/// What has happened to a place in the line.
enum News {
    Waits,
    Woken,
    Handed(Turn),
}

/// A writer's place in the line. Dropping it leaves the line, and passes on any news not yet seen.
struct Place<'a> {
    queue: &'a Queue,
    word: &'a CellWord,
    ticket: u64,
    /// The wake-up has been seen.
    left: bool,
}

impl<'a> Place<'a> {
    /// Enters at the end of the line, or at its earlier place if it has a ticket; then asks to be woken.
    /// `None` if nobody has the turn any more.
    fn enter(
        queue: &'a Queue,
        word: &'a CellWord,
        ticket: &mut Option<u64>,
        waiter: Waiter,
    ) -> Option<Self> {
        let place = Self {
            queue,
            word,
            ticket: queue.lock().turns.waiters.enter(*ticket, waiter),
            left: false,
        };
        *ticket = Some(place.ticket);
        // First the queue, then the request: the writer that sees the request finds the entry.
        word.turn().request_wake().then_some(place)
    }

    /// Looks for the wake-up; if it has not arrived, it will go to `waiter` from now on.
    fn look(&mut self, mut waiter: Option<Waiter>) -> News {
        let mut lines = self.queue.lock();
        let turns = &mut lines.turns;
        if turns.waiters.still_waits(self.ticket, waiter.as_mut()) {
            return News::Waits;
            // The queue is unlocked first, then the replaced waiter is dropped.
        }
        self.left = true;
        match turns.handed.take_if(|(ticket, _)| *ticket == self.ticket) {
            Some((_, turn)) => News::Handed(turn),
            None => News::Woken,
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let (waited, handed, next);
        {
            let mut lines = self.queue.lock();
            let turns = &mut lines.turns;
            waited = turns.waiters.leave(self.ticket);
            handed = turns.handed.take_if(|(ticket, _)| *ticket == self.ticket);
            next = match (&waited, &handed) {
                (None, None) => turns.next(),
                _ => None,
            };
        }
        drop(waited); // unlocked
        if let Some((_, turn)) = handed {
            end(self.queue, self.word, turn);
        }
        if let Some(next) = next {
            next.wake();
        }
    }
}

impl Turns {
    /// Takes the first writer out of the line.
    fn next(&mut self) -> Option<Waiter> {
        let ticket = self.waiters.first()?;
        self.waiters.leave(ticket)
    }

    /// The same, at the end of a turn; hands the turn over if this writer has lost often enough.
    fn next_after(&mut self, word: &CellWord) -> Option<Waiter> {
        let ticket = self.waiters.first()?;
        let wakes = match self.woken {
            Some((last, wakes)) if last == ticket => wakes + 1,
            _ => 1,
        };
        self.woken = Some((ticket, wakes));
        if wakes > LOSSES_BEFORE_HANDING_OVER {
            // Fails if another writer already has the turn, taken or handed over. Then this one loses once more.
            if let Some(turn) = word.take_turn_after_waiting() {
                self.handed = Some((ticket, turn));
            }
        }
        self.waiters.leave(ticket)
    }
}

/// Takes the turn if nobody has it; for a writer that has waited in line, asks again.
fn take(word: &CellWord, ticket: Option<u64>) -> Option<Turn> {
    match ticket {
        None => word.take_turn(),
        Some(_) => word.take_turn_after_waiting(),
    }
}

/// Wakes the next in line and all readers, after a turn has ended.
fn wake(queue: &Queue, word: &CellWord) {
    let Some(mut lines) = queue.lock_if_made() else {
        return;
    };
    let readers = lines.readers.all();
    let next = lines.turns.next_after(word);
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
        let mut ticket = None;
        let mut place = None;
        poll_fn(|context| {
            loop {
                let news = match &mut place {
                    Some(place) => Place::look(place, Some(Waiter::task(context))),
                    None => News::Woken,
                };
                match news {
                    News::Waits => return Poll::Pending,
                    News::Handed(turn) => return Poll::Ready(turn),
                    News::Woken => place = None,
                }
                if let Some(turn) = take(word, ticket) {
                    return Poll::Ready(turn);
                }
                place = Place::enter(&self.queue, word, &mut ticket, Waiter::task(context));
                if place.is_some() {
                    return Poll::Pending;
                }
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
            let mut ticket = None;
            loop {
                spin_briefly(&Writers::new(&word.turn()), over);
                let taken = take(word, ticket);
                if taken.is_some() || over() {
                    return taken;
                }
                let entered =
                    Place::enter(&self.queue, word, &mut ticket, Waiter::Thread(current()));
                let Some(mut place) = entered else { continue };
                loop {
                    match place.look(None) {
                        News::Waits => {}
                        News::Woken => break,
                        News::Handed(turn) => return Some(turn),
                    }
                    match deadline {
                        None => park(),
                        Some(deadline) if park_until(deadline) => {
                            drop(place);
                            return word.take_turn_after_waiting(); // the last look
                        }
                        Some(_) => {}
                    }
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
