//! The pager: memory, a store behind it, and threads that load what is touched.

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

/// Memory whose pages are loaded from a [`Store`] when they are touched, and that can be told to forget them.
///
/// Whoever touches a page that is not there waits in a page fault, as with any mapped file. One of the pager's
/// handlers loads it, and [the policy](Policy) sees to it that what it maps is not what an invalidation has just
/// taken out.
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
/// pager.read(0, &mut first);                                 // a fault, the first time
///
/// let section = pager.invalidate(16..32);                    // nobody sees these pages any more
/// file.write_all_at(&[7; 16 * PAGE_SIZE], 16 * PAGE_SIZE as u64)?;
/// drop(section);                                             // and now they see the new ones
/// # Ok(())
/// # }
/// ```
///
/// # What is promised
///
/// Under [`Gate`] and [`Closed`](crate::Closed): once [`invalidate`](Self::invalidate) has returned, nobody reads
/// what the pages held before; until its [`Section`] is dropped nobody reads them at all; and what is read
/// then was loaded after it had begun.
///
/// # Handlers
///
/// A handler is a thread. It has one fault at a time, and keeps it while the page is loaded, and while an
/// invalidation of its stripe runs. So with as many handlers as there are threads that touch the memory no
/// fault waits for another; with fewer it may.
///
/// # Waiting for oneself
///
/// Every load from this memory may wait for a section to end. So a thread that has a section must not touch
/// the memory, nor wait for one that does; nor may a store touch it. A thread that has a section must not begin
/// another, for that may wait for a fault that waits for the first: invalidate one range that has both.
///
/// # Forks
///
/// A child has nothing where the memory was, and dies if it touches it: there is no handler to load pages for it.
pub struct Pager<P: Policy = Gate> {
    shared: Arc<Shared<P>>,
    handlers: Vec<JoinHandle<()>>,
    doorbell: Arc<Doorbell>,
}

/// What the handlers share.
struct Shared<P> {
    policy: P,
    region: Region,
    flights: Flights,
    store: Box<dyn Store>,
    counters: Counters,
    failure: Mutex<Option<Failure>>,
}

/// A page that could not be had.
#[derive(Debug)]
pub struct Failure {
    /// The page.
    pub page: usize,
    /// Why.
    pub error: io::Error,
}

impl Pager<Gate> {
    /// So many pages of `store`, served by so many threads, under the policy [`Gate`].
    ///
    /// Pages are best invalidated in `block`s of so many that lie side by side: an invalidation disturbs the
    /// faults in its blocks, and few others.
    ///
    /// # Errors
    ///
    /// One that contains an [`Unavailable`](crate::Unavailable), if there is no userfaultfd to be had. Any other,
    /// if the kernel has no memory, descriptors or threads left.
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
    /// As [`new`](Pager::new), under a policy of one's choice.
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

    /// Where the memory begins: `pages() * PAGE_SIZE` bytes, to be read only.
    ///
    /// Reading through it is for those who know that the kernel changes these bytes under their hands. What
    /// they read is a page as the store had it, and each page may be from another moment;
    /// [`read`](Self::read) reads several words of one moment. The memory is there until the pager is dropped.
    #[must_use]
    pub fn as_ptr(&self) -> *const u8 {
        self.shared.region.as_ptr()
    }

    /// How many pages there are.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.shared.region.pages()
    }

    /// Reads one word, of four bytes in the machine's order, from the byte `at` on.
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
    /// Change the source while you have it. If that fails halfway, or panics, nothing stale is left behind:
    /// what is touched after the section is loaded anew, whatever the source has then.
    ///
    /// It never waits for a load, but for those who are in the gate: [`Gate`] says for how long. The policies that
    /// it is compared with wait for loads.
    ///
    /// # Panics
    ///
    /// If the range is not in the memory, or if the kernel refuses to take pages out, as it does where the process
    /// has locked its memory since the pager was made.
    pub fn invalidate(&self, pages: Range<usize>) -> Section<'_, P> {
        self.must_contain(&pages);
        self.shared.counters.invalidations();
        Section {
            running: self.shared.policy.invalidate(pages, &self.shared.region),
        }
    }

    /// Gives the memory of these pages back. They are loaded again when they are touched.
    ///
    /// This is no invalidation, for the source does not change: it waits for nobody, and nobody for it.
    ///
    /// # Panics
    ///
    /// As [`invalidate`](Self::invalidate).
    pub fn evict(&self, pages: Range<usize>) {
        self.must_contain(&pages);
        self.shared.region.take_out(pages);
    }

    /// What has happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counters.read()
    }

    /// The last page that could not be had, once.
    #[must_use]
    pub fn take_failure(&self) -> Option<Failure> {
        self.shared
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Ends all service. Whoever touches the memory from now on gets SIGBUS, mapped page or not, and so does
    /// everybody who waits in a fault.
    ///
    /// It waits for the loads that have begun, and for nothing else. Dropping a pager does the same and then gives
    /// the addresses back; this is for those who must be told before that, threads of a virtual machine say.
    ///
    /// # Errors
    ///
    /// If the kernel has no memory or descriptors left. Then those who wait go on waiting.
    pub fn stop(&mut self) -> io::Result<()> {
        self.doorbell.ring();
        for handler in self.handlers.drain(..) {
            handler.join().expect("a handler that panics ends it all");
        }
        Arc::get_mut(&mut self.shared)
            .expect("the handlers have gone")
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
    /// Reads bytes of one moment: no invalidation of their pages ran while they were read.
    ///
    /// It reads again until that is so. Invalidations that follow one another without a pause can keep it from
    /// ever getting through.
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
        // Should the kernel be out of memory: giving the addresses back wakes those who wait, too.
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

/// An invalidation that runs. Its pages are out; change the source, then drop this.
///
/// One that is [forgotten](core::mem::forget) never ends: whoever touches its pages waits for ever, and so does whoever
/// [stops](Pager::stop) or drops the pager.
#[derive(Debug)]
#[must_use = "the invalidation ends when this is dropped, here before the source has changed"]
pub struct Section<'a, P: Policy = Gate> {
    #[expect(dead_code, reason = "it is held, and printed")]
    running: P::Section<'a>,
}
