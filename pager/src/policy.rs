//! Five ways to keep a load from mapping a page that has been invalidated meanwhile.

mod closed;
mod gate;
mod page_mutex;
mod rwlock;
mod stripes;
mod unprotected;

pub use closed::Closed;
pub use gate::Gate;
pub use page_mutex::PageMutex;
pub use rwlock::RwLock;
pub use stripes::Sections;
pub use unprotected::Unprotected;

use core::fmt::Debug;
use core::ops::Range;

use crate::fault::Fault;
use crate::memory::Memory;

/// The protocol between faults and invalidations.
pub trait Policy: Debug + Send + Sync + Sized + 'static {
    /// Its name in tables.
    const NAME: &'static str;

    /// Whether the memory maps a file, so that pages can be put [behind the mapping](Memory::fill).
    const BEHIND: bool = false;

    /// The guard of an invalidation, held while the source changes.
    type Section<'a>: Debug;

    /// A policy for this many pages, which are mostly invalidated in blocks of `block` pages.
    fn new(pages: usize, block: usize) -> Self;

    /// Serves a fault. When it returns, the page is mapped or poisoned, unless a later invalidation has
    /// taken it out again.
    fn serve<M: Memory>(&self, fault: &mut Fault<'_, M>);

    /// Begins an invalidation and takes the pages out. The source may change from the return of this call until
    /// the section is dropped.
    fn invalidate<M: Memory>(&self, pages: Range<usize>, memory: &M) -> Self::Section<'_>;
}

/// A policy that can validate a look at several words.
pub trait Fenced: Policy {
    /// Calls `look` until no invalidation of these pages ran meanwhile.
    fn look<R>(&self, pages: Range<usize>, look: impl FnMut() -> R) -> R;
}
