//! How requests end: `aio_complete`, which may be called from an interrupt.

use super::context::KioCtx;
use super::handle::ContextRef;
use super::violation::Violation;
use crate::aio::errno::Errno;
use crate::sync::atomic::Ordering::{Relaxed, Release};

/// A request under way. It has a place in the ring, and keeps its context alive.
#[derive(Debug)]
pub struct Iocb(ContextRef);

impl ContextRef {
    /// Begins a request: `io_submit`.
    ///
    /// # Errors
    ///
    /// [`Errno::Again`] if the ring has no room for another event, [`Errno::Invalid`] if the context has been
    /// destroyed.
    pub fn io_submit(&self) -> Result<Iocb, Errno> {
        if self.context.is_dead() {
            return Err(Errno::Invalid);
        }
        if !self.context.reserve() {
            return Err(Errno::Again);
        }
        self.context.get();
        Ok(Iocb(ContextRef {
            mm: self.mm.clone(),
            context: self.context.clone(),
        }))
    }
}

impl Iocb {
    /// Ends the request and puts `data` into the ring: `aio_complete`. It cannot sleep; it waits for nothing
    /// but a spin lock.
    pub fn complete(self, data: u64) {
        // It fails only if a page is missing, which has been reported.
        let _ = complete(&self.0.context, data);
    }
}

fn complete(context: &KioCtx, data: u64) -> Result<(), Errno> {
    let mut completion = context.completion_lock();
    let (page, slot) = context.page_of_event(completion.tail)?;
    context.pause();
    page.set_event(slot, data);

    let ordering = match context.version.write_barrier {
        true => Release,
        false => Relaxed,
    };
    let tail = (completion.tail + 1) % context.nr_events;
    let old = context.page(0)?.replace_tail(tail, ordering);
    if old != completion.tail {
        context.report(Violation::TailLost);
    }
    completion.tail = tail;
    Ok(())
}
