//! The system calls of AIO, as far as they find a context or make one. `io_destroy` is in `destroy.rs`.

use std::sync::Arc;

use super::areas::{Mapped, Object};
use super::kioctx::{KioCtx, KioCtxRef};
use super::mm::Mm;
use super::ring_file::{Geometry, PAGE_SIZE, RingFile};
use super::version::Rules;
use crate::aio::errno::Errno;
use crate::locks::{lock, write};

/// What a request waits for. Its event has `data` in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Nothing: a read that is complete when `io_submit` returns.
    Read {
        /// For the event.
        data: u64,
    },
    /// A call of [`Mm::ready`], or of [`Mm::io_cancel`].
    Poll {
        /// For the event.
        data: u64,
    },
}

impl Mm {
    /// Makes a context for this many requests; returns its id, which is where the ring is.
    ///
    /// # Errors
    ///
    /// `EINVAL` for none or far too many, `EAGAIN` for more than `fs.aio-max-nr` allows, alone or with
    /// the others.
    pub fn io_setup(&self, requests: u32) -> Result<u64, Errno> {
        let _section = self.section();
        if requests == 0 {
            return Err(Errno::Invalid);
        }
        let Rules {
            possible_cpus,
            aio_max_nr,
            ..
        } = self.rules;
        let geometry = Geometry::of(requests, possible_cpus, aio_max_nr)?;
        lock(&self.table).reserve(requests, &self.rules)?;

        let census = Arc::clone(&self.census);
        let file = Arc::new(RingFile::new(self.number(), geometry, census));
        let at = self.place(geometry.pages);
        {
            let _mmap_sem = write(&self.mmap_sem);
            let range = at / PAGE_SIZE..at / PAGE_SIZE + geometry.pages;
            lock(&self.page_table).map(range, &Object::Ring(Arc::clone(&file)));
        }
        let ctx = lock(&self.table).insert(&self.rules, |index| {
            let file = Arc::clone(&file);
            KioCtx::new(file, index, requests, at, Arc::clone(&self.census))
        });
        file.set_id(ctx.index);
        Ok(at)
    }

    /// Finds a context by its id, and takes a reference to it.
    ///
    /// The first word there, in memory that user space can write to, is the index in the table. The context
    /// at that index has to have this very id.
    #[must_use]
    pub fn lookup(&self, id: u64) -> Option<KioCtxRef> {
        let ctx = self.find(id, || self.load(id))?;
        let found = ctx.get(&self.rules.steps);
        found.then(|| KioCtxRef::new(ctx))
    }

    /// The context with that id, if the first word there is `first_word`.
    fn find(&self, id: u64, first_word: impl FnOnce() -> Option<u32>) -> Option<Arc<KioCtx>> {
        let steps = &self.rules.steps;
        if !steps.lookup_reads_first_word {
            let table = lock(&self.table);
            return table.iter().find(|ctx| ctx.user_id() == id).cloned();
        }
        let index = first_word()?;
        let ctx = lock(&self.table).get(index).cloned()?;
        let is_it = !steps.lookup_compares_user_id || ctx.user_id() == id;
        is_it.then_some(ctx)
    }

    /// What a lookup would find at a quiet moment, without leaving a trace.
    pub(super) fn peek(&self, id: u64) -> Option<Arc<KioCtx>> {
        self.find(id, || {
            self.mapped(id, |mapped: &Mapped, _| mapped.first_word())?
        })
    }

    /// Hands in one request.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is no such context, `EAGAIN` if its ring has no room for another event. (Each
    /// request counts here; the kernel hands room to its CPUs in portions, and says so earlier.)
    pub fn io_submit(&self, id: u64, request: Request) -> Result<(), Errno> {
        let _section = self.section();
        let user = self.lookup(id).ok_or(Errno::Invalid)?;
        if user.ctx.is_dead() {
            return Err(Errno::Invalid);
        }
        if !user.ctx.file.take_room() {
            return Err(Errno::Again);
        }
        match request {
            Request::Read { data } => user.ctx.file.complete(data),
            Request::Poll { data } => user.ctx.wait_for(data),
        }
        Ok(())
    }

    /// Takes events out of the ring, without waiting for any.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is no such context, or if `least` is negative or more than `most`.
    pub fn io_getevents(&self, id: u64, least: i64, most: i64) -> Result<Vec<u64>, Errno> {
        let _section = self.section();
        let user = self.lookup(id).ok_or(Errno::Invalid)?;
        match (0..=most).contains(&least) {
            true => user.read_events(most as usize),
            false => Err(Errno::Invalid),
        }
    }

    /// Cancels a request that waits; its event comes all the same.
    ///
    /// # Errors
    ///
    /// `EINPROGRESS` if it is cancelled, as in the kernel; `EINVAL` if there is no such context or request.
    pub fn io_cancel(&self, id: u64, data: u64) -> Result<(), Errno> {
        let _section = self.section();
        let user = self.lookup(id).ok_or(Errno::Invalid)?;
        if !user.ctx.take_in_flight(data) {
            return Err(Errno::Invalid);
        }
        user.ctx.file.complete(data);
        Err(Errno::InProgress)
    }

    /// What a [`Request::Poll`] waits for has happened; returns whether one waited. The kernel does not
    /// look the context up for that: it has it.
    pub fn ready(&self, data: u64) -> bool {
        let _section = self.section();
        let table = lock(&self.table);
        let waiting = table.iter().find(|ctx| ctx.take_in_flight(data));
        if let Some(ctx) = waiting {
            ctx.file.complete(data);
        }
        waiting.is_some()
    }
}
