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
/// A load that overlaps an invalidation may return anything, torn pages included. Every policy but
/// [`Unprotected`](crate::Unprotected) prevents such an overlap or throws the result away.
///
/// A load must not touch the pager's memory: that fault could wait for the load itself.
pub trait Store: Send + Sync {
    /// Loads a page.
    ///
    /// # Errors
    ///
    /// If there is no such page, or it cannot be read now. A thread that touches the page gets SIGBUS, as
    /// with a mapped file whose disk fails. That lasts until the page is invalidated or evicted; then the
    /// next touch loads it again. (Before 6.6 Linux cannot mark a page like that, and every touch loads it
    /// again.) A load that panics counts as one that failed.
    fn load(&self, page: usize, into: &mut [u8; PAGE_SIZE]) -> io::Result<()>;
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn load(&self, page: usize, into: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        (**self).load(page, into)
    }
}
