//! Where pages come from.

mod file;
mod slow;

pub use file::FileStore;
pub use slow::Slow;

use std::io;
use std::sync::Arc;

use crate::memory::PAGE_SIZE;

/// A source of pages. The handlers of a pager load from it, several at a time.
///
/// A load that overlaps an invalidation may return anything, in pieces too: it is thrown away. (Under the
/// policies that are sound; what the others do with it is what they are here for.)
///
/// A load must not touch the pager's memory: that would be a fault within a fault, and may wait for itself.
pub trait Store: Send + Sync {
    /// Loads a page.
    ///
    /// # Errors
    ///
    /// If there is no such page, or it cannot be had now. Whoever touches it gets SIGBUS, as with a mapped file
    /// whose disk fails, until the page is invalidated or evicted: then it is tried again. (Before Linux 6.6, which
    /// cannot mark a page like that, every touch tries it again.) A panic is a failure too.
    fn load(&self, page: usize, into: &mut [u8; PAGE_SIZE]) -> io::Result<()>;
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn load(&self, page: usize, into: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        (**self).load(page, into)
    }
}
