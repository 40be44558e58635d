use std::sync::Arc;

use core::time::Duration;

use super::{FileSystem, Metadata, MkWrite};
use crate::page_cache::error::VmFault;
use crate::page_cache::page::{LockedPage, PageRef};
use crate::sync::sleep;

/// A file system since 2009: `page_mkwrite` returns with the page locked.
///
/// The lock is held until the pte is writable and the page dirty, so writeback comes either before
/// both or after both.
#[derive(Debug)]
pub struct LockedSchemeFs {
    metadata: Arc<Metadata>,
    release: Duration,
}

impl LockedSchemeFs {
    /// A file system that keeps its books in `metadata`.
    #[must_use]
    pub fn new(metadata: Arc<Metadata>) -> Self {
        Self {
            metadata,
            release: Duration::ZERO,
        }
    }

    /// The same, but [`release_page`](FileSystem::release_page) sleeps for `release`.
    #[must_use]
    pub fn with_release(self, release: Duration) -> Self {
        Self { release, ..self }
    }
}

impl FileSystem for LockedSchemeFs {
    fn page_mkwrite(&self, page: &PageRef) -> Result<MkWrite, VmFault> {
        let Some(_journal) = self.metadata.reserve()? else {
            return Ok(MkWrite::NoPage);
        };
        let page = page.lock();
        if !page.in_cache() {
            return Ok(MkWrite::NoPage);
        }
        self.metadata.insert(page.index());
        page.set_dirty();
        Ok(MkWrite::Locked(page))
    }

    fn page_cleaned(&self, page: &LockedPage) {
        self.metadata.remove(page.index());
    }

    fn release_page(&self, _page: &LockedPage) {
        if !self.release.is_zero() {
            sleep(self.release);
        }
    }

    fn has_metadata(&self, index: u64) -> Option<bool> {
        Some(self.metadata.contains(index))
    }
}
