//! How events are read: `aio_read_events_ring`.

use std::sync::Arc;

use super::context::KioCtx;
use super::handle::ContextRef;
use super::mm::Mm;
use super::page::{RingPage, slot};
use super::version::Read;
use super::violation::Violation;
use crate::aio::errno::Errno;
use crate::sync::RING_SLOTS;
use crate::sync::atomic::Ordering::{Acquire, Relaxed};

/// The buffer that events are copied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffer {
    /// It is in memory.
    Present,
    /// The copy faults, and the fault takes `mmap_sem`.
    Faulting,
    /// It cannot be written to.
    Bad,
}

impl ContextRef {
    /// Reads up to `most` events without waiting for any: `io_getevents` with a `min_nr` of 0.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] for a bad buffer; the events stay in the ring. [`Errno::Invalid`] if there is no
    /// event and the context has been destroyed. [`Errno::Deadlock`] if waiting would have been one.
    pub fn read_events(&self, most: usize, buffer: Buffer) -> Result<Vec<u64>, Errno> {
        let context = &self.context;
        let ring_lock = context.ring_lock()?;
        let events = match context.version.read {
            Read::RingLock => read(context, &self.mm, most, buffer),
            Read::Validated { head } => read_validated(context, &self.mm, most, buffer, head),
        };
        drop(ring_lock);
        let events = events?;
        context.release(events.len() as u32);
        match events.is_empty() && context.is_dead() {
            true => Err(Errno::Invalid),
            false => Ok(events),
        }
    }
}

/// `ring_lock` keeps out other readers, and migrations that take it.
fn read(context: &KioCtx, mm: &Mm, most: usize, buffer: Buffer) -> Result<Vec<u64>, Errno> {
    let copied = copy_events(context, mm, most, buffer, |index| context.page(index))?;
    check_head(context, &copied);
    if !copied.events.is_empty() {
        let first = context.page(0)?;
        context.pause();
        first.set_head(copied.head);
        context.set_head_written(copied.head);
    }
    Ok(copied.events)
}

/// `ring_lock` keeps out other readers only. What was read is validated, and so is the head once it is
/// written. If a migration was under way, the head may have gone to the old page, and is written again.
fn read_validated(
    context: &KioCtx,
    mm: &Mm,
    most: usize,
    buffer: Buffer,
    validates_head: bool,
) -> Result<Vec<u64>, Errno> {
    let migrations = context.migrations();
    let copied = loop {
        let stamp = migrations.read_begin_wait();
        let mut pinned = Pinned::default();
        let page = |index| pinned.page(context, index);
        let copied = copy_events(context, mm, most, buffer, page);
        drop(pinned);
        if migrations.read_end(stamp).is_ok() {
            break copied?;
        }
    };
    check_head(context, &copied);
    if copied.events.is_empty() {
        return Ok(copied.events);
    }
    loop {
        let stamp = migrations.read_begin_wait();
        let mut pinned = Pinned::default();
        let written = pinned.page(context, 0).map(|first| {
            context.pause();
            first.set_head(copied.head);
        });
        let valid = migrations.read_commit(stamp).is_ok();
        match written {
            Ok(()) if valid || !validates_head => break,
            Ok(()) | Err(Errno::Again) => {}
            Err(errno) => return Err(errno),
        }
    }
    context.set_head_written(copied.head);
    Ok(copied.events)
}

/// The head in the ring should be the one that was written last.
fn check_head(context: &KioCtx, copied: &Copied) {
    if copied.found != context.head_written() {
        context.report(Violation::HeadLost);
    }
}

/// References to pages, put when this is dropped.
#[derive(Default)]
struct Pinned(Vec<Arc<RingPage>>);

impl Pinned {
    /// A ring page with a reference, which makes a migration of this page give up.
    fn page(&mut self, context: &KioCtx, index: usize) -> Result<Arc<RingPage>, Errno> {
        if let Some(pinned) = self.0.iter().find(|page| page.index() == index) {
            return Ok(Arc::clone(pinned));
        }
        let page = context.page(index)?;
        if !page.try_get() {
            return Err(Errno::Again); // freed between the look and the reference
        }
        self.0.push(Arc::clone(&page));
        Ok(page)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        for page in &self.0 {
            page.put();
        }
    }
}

/// Events that were read, and the head before and after them.
struct Copied {
    events: Vec<u64>,
    found: u32,
    head: u32,
}

fn copy_events(
    context: &KioCtx,
    mm: &Mm,
    most: usize,
    buffer: Buffer,
    mut page: impl FnMut(usize) -> Result<Arc<RingPage>, Errno>,
) -> Result<Copied, Errno> {
    let nr_events = context.nr_events;
    let barrier = match context.version.read_barrier {
        true => Acquire,
        false => Relaxed,
    };
    let (found, tail) = page(0)?.head_and_tail(barrier);
    let (mut head, tail) = (found % nr_events, tail % nr_events);
    let mut events = Vec::new();
    while head != tail && events.len() < most {
        let here = page(slot(head) / RING_SLOTS)?;
        copy_to_user(mm, buffer)?;
        context.pause();
        // Up to the end of this page.
        loop {
            events.push(here.event(slot(head)));
            head = (head + 1) % nr_events;
            let elsewhere = slot(head) / RING_SLOTS != here.index();
            if head == tail || events.len() == most || elsewhere {
                break;
            }
        }
    }
    Ok(Copied {
        events,
        found,
        head,
    })
}

/// `copy_to_user`, as far as it can sleep or fail.
fn copy_to_user(mm: &Mm, buffer: Buffer) -> Result<(), Errno> {
    match buffer {
        Buffer::Present => Ok(()),
        Buffer::Faulting => {
            let _mmap_sem = mm.mmap_sem()?;
            Ok(())
        }
        Buffer::Bad => Err(Errno::Fault),
    }
}
