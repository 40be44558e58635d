//! The callbacks of a file system for the pages of its files: `a_ops` and `vm_ops`.

mod locked_scheme;
mod metadata;
mod old_scheme;

pub use locked_scheme::LockedSchemeFs;
pub use metadata::{Metadata, Trouble};
pub use old_scheme::OldSchemeFs;

use core::fmt;
use core::time::Duration;

use super::error::VmFault;
use super::page::{LockedPage, PageRef};
use crate::sync::sleep;

/// The part of a file system that a page cache calls.
///
/// A file system may keep something for each dirty page: reserved blocks, a log entry. It allocates
/// that in [`page_mkwrite`](Self::page_mkwrite), which can sleep and fail, and drops it in
/// [`page_cleaned`](Self::page_cleaned). (`set_page_dirty` would be the natural place, but can do
/// neither.)
///
/// # Source
///
/// Nick Piggin's "mm: close page_mkwrite races" of 2009 (commit b827e496c893).
pub trait FileSystem: fmt::Debug + Send + Sync {
    /// A pte is about to let user space write to the page.
    ///
    /// The page is *not* locked: a file system takes its own locks first, then the page's. It may
    /// have been removed from the cache or lie beyond the end by the time it is locked.
    ///
    /// # Errors
    ///
    /// The fault ends with this error; the pte stays as it is.
    fn page_mkwrite(&self, page: &PageRef) -> Result<MkWrite, VmFault>;

    /// The page is no longer dirty: it is about to be written, or to be thrown away.
    fn page_cleaned(&self, page: &LockedPage) {
        let _ = page;
    }

    /// The page is about to leave the cache: `releasepage`, by way of `try_to_release_page`.
    ///
    /// It is locked and should not be mapped. File systems wait here for I/O of their own, which makes
    /// an invalidate sleep halfway. Locks that [`page_mkwrite`](Self::page_mkwrite) takes before the
    /// page's must not be taken here.
    fn release_page(&self, page: &LockedPage) {
        let _ = page;
    }

    /// Whether something is kept for the page `index`; `None` if this file system never keeps
    /// anything.
    fn has_metadata(&self, index: u64) -> Option<bool> {
        let _ = index;
        None
    }
}

/// What [`FileSystem::page_mkwrite`] did.
#[derive(Debug)]
pub enum MkWrite {
    /// The page may be written and is returned locked: `VM_FAULT_LOCKED`.
    Locked(LockedPage),
    /// The page may be written; the core has to lock it itself: `0`.
    Unlocked,
    /// Nothing is to be mapped; user space will fault again if it has to: `VM_FAULT_NOPAGE`.
    NoPage,
}

/// A file system that keeps nothing. It only takes its time.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainFs {
    /// How long [`release_page`](FileSystem::release_page) sleeps.
    pub release: Duration,
}

impl FileSystem for PlainFs {
    fn page_mkwrite(&self, _page: &PageRef) -> Result<MkWrite, VmFault> {
        Ok(MkWrite::Unlocked)
    }

    fn release_page(&self, _page: &LockedPage) {
        if !self.release.is_zero() {
            sleep(self.release);
        }
    }
}
