//! Cutting and extending a file: `vmtruncate` of 2005, `truncate_pagecache` today.

use super::error::Errno;
use super::mapping::AddressSpace;
use super::page::PAGE_SIZE;
use super::policy::Policy;
use crate::locks::write;

impl<P: Policy> AddressSpace<P> {
    /// Sets the size of the file in bytes: `truncate`.
    ///
    /// After it returns, nothing beyond the new end is cached or mapped, private copies included;
    /// touching it raises `SIGBUS`. A longer file ends in zeros.
    ///
    /// # Errors
    ///
    /// [`Errno::Io`] if the store fails. An extension then leaves the size as it was; after a cut,
    /// what was cut off is gone all the same.
    pub fn truncate(&self, size: u64) -> Result<(), Errno> {
        let _alone = write(&self.i_rwsem);
        let old = self.size();
        if size >= old {
            // What user space has left between the old end and the end of its page never was part
            // of the file.
            self.truncate_partial_page(old);
            // Nor was what a failed cut left in the store.
            if self.store.size().map_err(|_| self.io_failed())? > old {
                self.store.set_size(old).map_err(|_| self.io_failed())?;
            }
            self.store.set_size(size).map_err(|_| self.io_failed())?;
            self.set_size(size);
            return Ok(());
        }
        let exclusion = self.policy.exclude();
        // The size comes first: a fault that sees the new count sees the new size too, and one that
        // saw the old size finds out by the count, or is found by one of the sweeps.
        self.set_size(size);
        self.truncate_count_add();
        self.truncate_inode_pages(size);
        drop(exclusion);
        self.store.set_size(size).map_err(|_| self.io_failed())
    }

    /// Unmaps and removes everything beyond `size`, dirty or not.
    fn truncate_inode_pages(&self, size: u64) {
        let beyond = size.div_ceil(PAGE_SIZE as u64)..=u64::MAX;
        self.unmap_mapping_range(&beyond, true);
        for page in self.pages_in(beyond.clone()) {
            let page = page.lock();
            if !page.in_cache() {
                continue;
            }
            page.wait_on_writeback();
            // A fault that held the page lock may have mapped it since.
            if page.mapped() {
                self.unmap_mapping_range(&(page.index()..=page.index()), false);
            }
            // `cancel_dirty_page`, `do_invalidatepage`.
            if page.clear_dirty() {
                self.file_system.page_cleaned(&page);
            }
            self.remove_from_page_cache(&page, |_| false);
        }
        // Another may have made a private copy of it, which no page of the cache knows about.
        self.unmap_mapping_range(&beyond, true);
        self.truncate_partial_page(size);
    }

    /// Zeros what lies beyond `size` in the page that it cuts in two.
    fn truncate_partial_page(&self, size: u64) {
        let kept = (size % PAGE_SIZE as u64) as usize;
        if kept == 0 {
            return;
        }
        if let Some(page) = self.find_get_page(size / PAGE_SIZE as u64) {
            let page = page.lock();
            if page.in_cache() {
                page.wait_on_writeback();
                page.zero_from(kept);
            }
        }
    }
}
