//! What a file system has to say about the pages of its files: `a_ops` and `vm_ops`.

use core::fmt;
use core::time::Duration;

use super::page::LockedPage;
use crate::sync::kernel::sleep;

/// The part of a file system that a page cache calls.
pub trait FileSystem: fmt::Debug + Send + Sync {
    /// A page is about to leave the cache: `releasepage`, by way of `try_to_release_page`.
    ///
    /// The page is locked and unmapped. File systems wait here for a journal, or for I/O of their
    /// own: this is what makes an invalidate sleep halfway.
    fn release_page(&self, page: &LockedPage) {
        let _ = page;
    }
}

/// A file system without data of its own. What it does is take its time.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainFs {
    /// How long [`release_page`](FileSystem::release_page) sleeps.
    pub release: Duration,
}

impl FileSystem for PlainFs {
    fn release_page(&self, _page: &LockedPage) {
        if !self.release.is_zero() {
            sleep(self.release);
        }
    }
}
