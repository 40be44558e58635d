//! The pager: memory, the store behind it, and the threads that load pages.

mod counts;
mod handler;
#[cfg(test)]
mod tests;

pub use counts::Counts;

use core::fmt;
use core::ops::Range;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::flights::Flights;
use crate::memory::{Memory as _, PAGE_SIZE};
use crate::policy::{Fenced, Gate, Policy};
use crate::store::Store;
use crate::uffd::{Doorbell, Region};
use counts::Counters;

/// Memory whose pages are loaded from a [`Store`] when they are touched, and can be invalidated.
///
/// A thread that touches a missing page waits in a page fault, as with any mapped file. One of the pager's
/// handlers loads the page. [The policy](Policy) keeps the handler from mapping a page that has been
/// invalidated meanwhile.
///
/// ```no_run
/// use std::fs::File;
/// use std::os::unix::fs::FileExt as _;
/// use std::sync::Arc;
/// use seqschedlock_pager::{FileStore, PAGE_SIZE, Pager};
///
/// # fn main() -> std::io::Result<()> {
/// let file = Arc::new(File::options().read(true).write(true).open("image")?);
/// let pager = Pager::new(1024, 16, FileStore::new(file.try_clone()?), 4)?;
///
/// let mut first = [0; 64];
/// pager.read(0, &mut first);                                 // a page fault, the first time
///
/// let section = pager.invalidate(16..32);                    // from here on no thread can read them
/// file.write_all_at(&[7; 16 * PAGE_SIZE], 16 * PAGE_SIZE as u64)?;
/// drop(section);                                             // from here on threads read the new pages
/// # Ok(())
/// # }
/// ```
///
/// # Guarantees
///
/// Under every policy but [`Unprotected`](crate::Unprotected): after [`invalidate`](Self::invalidate) has
/// returned, no thread reads the old content of the pages. Until the [`Section`] is dropped, threads that
/// touch the pages wait. Pages that are read after that were loaded after the section had ended.
///
/// # Handlers
///
/// A handler is a thread that serves one fault at a time. It is busy while the page loads, and while it
/// waits for an invalidation of the page's stripe. If there are as many handlers as threads that touch the
/// memory, no fault waits for another. If there are fewer, it may.
///
/// # Deadlocks
///
/// Reading this memory may wait until a section ends. A thread that holds a section must not touch the
/// memory, and must not wait for a thread that does. A store must not touch it either. A thread that holds
/// a section must not begin another one, because that may wait for a fault that waits for the first.
/// Invalidate one range that contains both.
///
/// # Forks
///
/// A child process gets SIGSEGV if it touches the memory. No handler could load pages for it.
pub struct Pager<P: Policy = Gate> {
    shared: Arc<Shared<P>>,
    handlers: Vec<JoinHandle<()>>,
    doorbell: Arc<Doorbell>,
}

/// The part that the handlers share.
struct Shared<P> {
    policy: P,
    region: Region,
    flights: Flights,
    store: Box<dyn Store>,
    counters: Counters,
    failure: Mutex<Option<Failure>>,
}

/// A page that could not be loaded.
#[derive(Debug)]
pub struct Failure {
    /// The page.
    pub page: usize,
    /// Why.
    pub error: io::Error,
}

impl Pager<Gate> {
    /// A pager for `pages` pages of `store`, with this many handlers, under the policy [`Gate`].
    ///
    /// `block` should be the number of neighbouring pages that are usually invalidated together. An
    /// invalidation delays faults in its blocks, and few others.
    ///
    /// # Errors
    ///
    /// An error that contains an [`Unavailable`](crate::Unavailable) if this system permits no userfaultfd.
    /// Other errors mean that the kernel is out of memory, descriptors or threads.
    ///
    /// # Panics
    ///
    /// If `pages`, `block` or `handlers` is zero.
    pub fn new(
        pages: usize,
        block: usize,
        store: impl Store + 'static,
        handlers: usize,
    ) -> io::Result<Self> {
        Self::with_policy(pages, block, store, handlers)
    }
}

impl<P: Policy> Pager<P> {
    /// As [`new`](Pager::new), under any policy.
    ///
    /// # Errors
    ///
    /// As [`new`](Pager::new).
    ///
    /// # Panics
    ///
    /// As [`new`](Pager::new).
    pub fn with_policy(
        pages: usize,
        block: usize,
        store: impl Store + 'static,
        handlers: usize,
    ) -> io::Result<Self> {
        assert!(pages > 0, "a pager needs a page");
        assert!(block > 0, "a block needs a page");
        assert!(handlers > 0, "a pager needs a handler");
        Self::serving(Region::new(pages, P::BEHIND)?, block, store, handlers)
    }

    fn serving(
        region: Region,
        block: usize,
        store: impl Store + 'static,
        handlers: usize,
    ) -> io::Result<Self> {
        let pages = region.pages();
        let mut pager = Self {
            shared: Arc::new(Shared {
                policy: P::new(pages, block),
                region,
                flights: Flights::new(pages),
                store: Box::new(store),
                counters: Counters::default(),
                failure: Mutex::new(None),
            }),
            handlers: Vec::new(),
            doorbell: Arc::new(Doorbell::new()?),
        };
        for number in 0..handlers {
            let handler = handler::start(number, &pager.shared, &pager.doorbell)?;
            pager.handlers.push(handler);
        }
        Ok(pager)
    }

    /// The start of the memory: `pages() * PAGE_SIZE` bytes, read-only, until the pager is dropped.
    ///
    /// The kernel may change these bytes at any time, so read them atomically. Two reads may see the pages at
    /// two different moments; [`read`](Self::read) reads several words from one moment.
    #[must_use]
    pub fn as_ptr(&self) -> *const u8 {
        self.shared.region.as_ptr()
    }

    /// The number of pages.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.shared.region.pages()
    }

    /// Reads the four bytes at `at` as one word, in the byte order of the machine.
    ///
    /// # Panics
    ///
    /// If `at` is not a multiple of four, or not in the memory.
    #[inline]
    #[must_use]
    pub fn load(&self, at: usize) -> u32 {
        self.shared.region.load(at)
    }

    /// Begins an invalidation: takes these pages out, and keeps them out until the section is dropped.
    ///
    /// Change the source while you hold the section. If the change fails halfway or panics, nothing stale
    /// is left behind: the next touch of a page loads it again, as the source has it then.
    ///
    /// Under [`Gate`] and [`Closed`](crate::Closed) this waits for the gate, and only for a load if a fault
    /// has lost three times. [`RwLock`](crate::RwLock) and [`PageMutex`](crate::PageMutex) wait for loads.
    ///
    /// # Panics
    ///
    /// If the range is not in the memory. If the kernel refuses to take pages out, for example because the
    /// process has locked its memory since the pager was created.
    pub fn invalidate(&self, pages: Range<usize>) -> Section<'_, P> {
        self.must_contain(&pages);
        self.shared.counters.invalidations();
        Section {
            running: self.shared.policy.invalidate(pages, &self.shared.region),
        }
    }

    /// Gives the memory of these pages back to the system. The next touch loads them again.
    ///
    /// Use it where the source has not changed. It waits for nothing, and nothing waits for it.
    ///
    /// # Panics
    ///
    /// As [`invalidate`](Self::invalidate).
    pub fn evict(&self, pages: Range<usize>) {
        self.must_contain(&pages);
        self.shared.region.take_out(pages);
    }

    /// Counts what the pager has done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counters.read()
    }

    /// Takes the most recent failure to load a page, if there is one that has not been taken.
    #[must_use]
    pub fn take_failure(&self) -> Option<Failure> {
        self.shared
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Ends all service. Threads that wait in a fault get SIGBUS. So does every thread that touches the
    /// memory from now on, even where a page was mapped.
    ///
    /// It waits for the loads that have begun. Dropping a pager does the same and then unmaps the memory.
    /// Call this first if other threads still use the memory, such as those of a virtual machine.
    ///
    /// # Errors
    ///
    /// If the kernel is out of memory or descriptors. The waiting threads go on waiting then.
    pub fn stop(&mut self) -> io::Result<()> {
        self.doorbell.ring();
        for handler in self.handlers.drain(..) {
            handler.join().expect("a handler that panics aborts");
        }
        Arc::get_mut(&mut self.shared)
            .expect("the handlers have ended")
            .region
            .close()
    }

    fn must_contain(&self, pages: &Range<usize>) {
        assert!(
            pages.start <= pages.end && pages.end <= self.pages(),
            "the pages {pages:?} are not all among {}",
            self.pages()
        );
    }
}

impl<P: Fenced> Pager<P> {
    /// Reads bytes from one moment: no invalidation of their pages ran while they were read.
    ///
    /// It reads again until that holds. Invalidations that follow one another without a pause can keep it from
    /// ever returning.
    ///
    /// # Panics
    ///
    /// If the bytes are not all in the memory.
    pub fn read(&self, at: usize, into: &mut [u8]) {
        let end = at.saturating_add(into.len()).div_ceil(PAGE_SIZE);
        let pages = at / PAGE_SIZE..end.min(self.pages());
        let shared = &self.shared;
        shared.policy.look(pages, || shared.region.read(at, into));
    }
}

impl<P: Policy> Drop for Pager<P> {
    fn drop(&mut self) {
        // If it fails: closing the descriptor and unmapping the memory wakes the waiting threads, too.
        let _ = self.stop();
    }
}

impl<P: Policy> fmt::Debug for Pager<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager")
            .field("pages", &self.pages())
            .field("policy", &self.shared.policy)
            .field("handlers", &self.handlers.len())
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// A running invalidation. Its pages are out: change the source, then drop this.
///
/// A section that is [forgotten](core::mem::forget) never ends. Threads that touch its pages wait for ever,
/// and so does [`stop`](Pager::stop) if a handler waits for the section.
#[derive(Debug)]
#[must_use = "if unused, the invalidation ends at once"]
pub struct Section<'a, P: Policy = Gate> {
    #[expect(dead_code, reason = "held for its drop, and printed")]
    running: P::Section<'a>,
}
