//! How a load is kept from mapping what an invalidation has taken out.

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

/// What stands between a fault and an invalidation.
pub trait Policy: Debug + Send + Sync + Sized + 'static {
    /// What tables call it.
    const NAME: &'static str;

    /// Pages lie in a file that is mapped, so that they can be put [behind the mapping](Memory::fill).
    const BEHIND: bool = false;

    /// What an invalidation holds while the source changes.
    type Section<'a>: Debug;

    /// One for so many pages, which are invalidated mostly in blocks of so many.
    fn new(pages: usize, block: usize) -> Self;

    /// Serves a fault. When it returns the page is mapped, or has been taken out by an invalidation that
    /// began later, or there is none.
    fn serve<M: Memory>(&self, fault: &mut Fault<'_, M>);

    /// Begins an invalidation and takes the pages out. The source may change once this has returned, until
    /// the section is dropped.
    fn invalidate<M: Memory>(&self, pages: Range<usize>, memory: &M) -> Self::Section<'_>;
}

/// A policy under which a look at several words can be checked.
pub trait Fenced: Policy {
    /// Looks until no invalidation of any of these pages ran meanwhile.
    fn look<R>(&self, pages: Range<usize>, look: impl FnMut() -> R) -> R;
}
