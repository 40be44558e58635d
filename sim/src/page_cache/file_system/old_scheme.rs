use std::sync::Arc;

use super::{FileSystem, Metadata, MkWrite};
use crate::page_cache::error::VmFault;
use crate::page_cache::page::{LockedPage, PageRef};

/// A file system from before 2009: `page_mkwrite` returns with the page unlocked.
///
/// It allocates the metadata, marks the page dirty and unlocks it. Before the core has locked it
/// again and made the pte writable, writeback may find the dirty page, write it and drop the
/// metadata. Then user space writes to a page that has none.
#[derive(Debug)]
pub struct OldSchemeFs {
    metadata: Arc<Metadata>,
}

impl OldSchemeFs {
    /// A file system that keeps its books in `metadata`.
    #[must_use]
    pub fn new(metadata: Arc<Metadata>) -> Self {
        Self { metadata }
    }
}

impl FileSystem for OldSchemeFs {
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
        Ok(MkWrite::Unlocked)
    }

    fn page_cleaned(&self, page: &LockedPage) {
        self.metadata.remove(page.index());
    }

    fn has_metadata(&self, index: u64) -> Option<bool> {
        Some(self.metadata.contains(index))
    }
}
