//! The waiters of a [`Park`](super::Park), in order; wakers run while the queue is unlocked.
//!
//! A waker is foreign code. It may poll or drop its task on the spot, and either may enter or leave this queue. It
//! may also panic. So wakers are called, cloned and dropped while the queue is unlocked: waiters are first taken
//! out and then woken, and once taken out they count as woken.

#[cfg(all(test, feature = "std"))]
mod tests;

use alloc::collections::VecDeque;
use core::fmt;
use core::ops::DerefMut;
use core::task::{Context, Waker};

use crate::sync::{MadeOnce, Mutex, const_fn};

/// A task or a thread to wake.
pub(super) enum Waiter {
    Task(Waker),
    #[cfg(all(feature = "std", not(target_family = "wasm")))]
    Thread(crate::sync::Thread),
}

impl Waiter {
    pub(super) fn task(context: &Context<'_>) -> Self {
        Waiter::Task(context.waker().clone())
    }

    pub(super) fn wake(self) {
        match self {
            Waiter::Task(waker) => waker.wake(),
            #[cfg(all(feature = "std", not(target_family = "wasm")))]
            Waiter::Thread(thread) => thread.unpark(),
        }
    }
}

/// A number in the order of arrival, and how often its holder has been woken in vain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ticket {
    pub(super) number: u64,
    pub(super) losses: u32,
}

/// The waiters for one thing, by ticket.
#[derive(Default)]
pub(super) struct Waiters {
    tickets: u64,
    /// In the order of the tickets. Leaving from the middle leaves a gap, never one at the front.
    line: VecDeque<(Ticket, Option<Waiter>)>,
    gaps: usize,
}

impl Waiters {
    pub(super) fn new_ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket {
            number: self.tickets,
            losses: 0,
        }
    }

    /// Adds a waiter at the place of its ticket.
    pub(super) fn enter(&mut self, ticket: Ticket, waiter: Waiter) {
        match self.find(ticket.number) {
            Ok(place) => {
                self.gaps -= 1; // its own, from when it left
                self.line[place] = (ticket, Some(waiter));
            }
            Err(place) => self.line.insert(place, (ticket, Some(waiter))),
        }
    }

    /// Where a ticket is or was in the line, or where it would be.
    fn find(&self, number: u64) -> Result<usize, usize> {
        self.line
            .binary_search_by_key(&number, |(ticket, _)| ticket.number)
    }

    /// Returns whether a ticket still waits. If so, puts `waiter` in its place; the caller must drop what is then
    /// left in `waiter` while the queue is unlocked.
    pub(super) fn still_waits(&mut self, number: u64, waiter: Option<&mut Waiter>) -> bool {
        let place = self.find(number).ok();
        let Some(there) = place.and_then(|place| self.line[place].1.as_mut()) else {
            return false;
        };
        if let Some(newest) = waiter {
            core::mem::swap(there, newest);
        }
        true
    }

    /// A search, and little moving on average: ten thousand futures may be dropped in any order.
    pub(super) fn leave(&mut self, number: u64) -> Option<Waiter> {
        let place = self.find(number).ok()?;
        let waiter = self.line[place].1.take()?;
        self.gaps += 1;
        while let Some((_, None)) = self.line.front() {
            self.line.pop_front();
            self.gaps -= 1;
        }
        if self.gaps > self.line.len() / 2 {
            self.line.retain(|(_, waiter)| waiter.is_some());
            self.gaps = 0;
        }
        Some(waiter)
    }

    /// The ticket that came first.
    pub(super) fn first(&self) -> Option<Ticket> {
        self.line.front().map(|(ticket, _)| *ticket)
    }

    /// Takes everybody out of the line, in order.
    pub(super) fn all(&mut self) -> impl Iterator<Item = Waiter> + use<> {
        self.gaps = 0;
        let line = core::mem::take(&mut self.line);
        line.into_iter().filter_map(|(_, waiter)| waiter)
    }

    fn len(&self) -> usize {
        self.line.len() - self.gaps
    }
}

#[derive(Default)]
pub(super) struct Lines {
    /// Those that wait for the last writer to leave, or for the end of a copy. All are woken at once.
    pub(super) readers: Waiters,
    /// Those that wait for the turn of a cell. One is woken at a time.
    pub(super) turns: super::turns::Turns,
}

impl Lines {
    fn len(&self) -> usize {
        self.readers.len() + self.turns.waiters.len()
    }
}

/// One pointer: the lines are allocated by the first waiter.
pub(super) struct Queue {
    lines: MadeOnce<Mutex<Lines>>,
}

impl Queue {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self { lines: MadeOnce::new() }
        }
    }

    /// For waiters.
    pub(super) fn lock(&self) -> impl DerefMut<Target = Lines> {
        self.lines.get_or_make().lock()
    }

    /// For wakers: `None` if nobody has ever waited, so there is nobody to wake.
    pub(super) fn lock_if_made(&self) -> Option<impl DerefMut<Target = Lines>> {
        Some(self.lines.get()?.lock())
    }
}

/// Prints how many wait, unless the queue is being changed. Never blocks.
impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = match self.lines.get() {
            None => Some(0),
            Some(lines) => lines.try_lock().map(|lines| lines.len()),
        };
        match waiting {
            Some(waiting) => waiting.fmt(f),
            None => f.write_str("<changing>"),
        }
    }
}

/// A reader's place in its line. Dropping it leaves the line.
pub(super) struct Place<'a> {
    queue: &'a Queue,
    ticket: u64,
    /// The wake-up has been seen.
    left: bool,
}

impl<'a> Place<'a> {
    pub(super) fn enter(queue: &'a Queue, waiter: Waiter) -> Self {
        let mut lines = queue.lock();
        let ticket = lines.readers.new_ticket();
        lines.readers.enter(ticket, waiter);
        drop(lines);
        Self {
            queue,
            ticket: ticket.number,
            left: false,
        }
    }

    /// Returns whether the wake-up has arrived; if not, it will go to `waiter` from now on.
    pub(super) fn woken(&mut self, mut waiter: Option<Waiter>) -> bool {
        let mut lines = self.queue.lock();
        self.left = !lines.readers.still_waits(self.ticket, waiter.as_mut());
        self.left
        // The queue is unlocked first, then the replaced waiter is dropped.
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.left {
            let waiter = self.queue.lock().readers.leave(self.ticket);
            drop(waiter); // unlocked
        }
    }
}

/// Wakes all of them, even if a waker panics. The first panic continues when all have been woken.
#[cfg(feature = "std")]
pub(super) fn wake_each(waiters: impl Iterator<Item = Waiter>) {
    use core::panic::AssertUnwindSafe;
    use std::panic::{catch_unwind, resume_unwind};

    let mut panic = None;
    for waiter in waiters {
        if let Err(this) = catch_unwind(AssertUnwindSafe(|| waiter.wake())) {
            panic.get_or_insert(this);
        }
    }
    if let Some(panic) = panic {
        // A second panic while this thread unwinds would abort the process.
        if !std::thread::panicking() {
            resume_unwind(panic);
        }
    }
}

#[cfg(not(feature = "std"))]
pub(super) fn wake_each(waiters: impl Iterator<Item = Waiter>) {
    waiters.for_each(Waiter::wake);
}
