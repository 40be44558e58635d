//! Removing pages from the cache: `mm/truncate.c`, and the direct write that needs it.

use core::ops::RangeInclusive;

use super::error::Errno;
use super::mapping::AddressSpace;
use super::page::{LockedPage, PAGE_SIZE};
use super::policy::Policy;
use crate::locks::read;

impl<P: Policy> AddressSpace<P> {
    /// Removes the pages of `range` that are not in use: `invalidate_mapping_pages`. Returns how many it
    /// removed.
    ///
    /// Pages that are locked, dirty, under writeback or mapped stay.
    pub fn invalidate_mapping_pages(&self, range: RangeInclusive<u64>) -> u64 {
        let _exclusion = self.policy.exclude();
        let mut removed = 0;
        for page in self.pages_in(range) {
            let Some(page) = page.try_lock() else {
                continue;
            };
            if !page.in_cache() || page.dirty() || page.writeback() {
                continue;
            }
            let section = self.policy.section(page.index());
            if page.mapped() {
                P::cancel(section);
                continue;
            }
            if self.invalidate_complete_page(&page) {
                removed += 1;
            }
            drop(section);
        }
        removed
    }

    /// Removes the pages of `range` from every page table and then from the cache:
    /// `invalidate_inode_pages2_range`.
    ///
    /// A page that cannot be removed does not keep the others from being removed.
    ///
    /// # Errors
    ///
    /// [`Errno::Io`] if a page was dirtied meanwhile. It stays, and so do its bytes.
    pub fn invalidate_inode_pages2_range(&self, range: RangeInclusive<u64>) -> Result<(), Errno> {
        let _exclusion = self.policy.exclude();
        let mut result = Ok(());
        for page in self.pages_in(range) {
            let page = page.lock();
            if !page.in_cache() {
                continue;
            }
            page.wait_on_writeback();
            let section = self.policy.section(page.index());
            while page.mapped() {
                self.unmap_mapping_range(&(page.index()..=page.index()), false);
            }
            if !self.invalidate_complete_page(&page) {
                result = Err(Errno::Io);
            }
            drop(section);
        }
        result
    }

    /// Removes an unmapped page, unless it is dirty: `invalidate_complete_page` and its younger
    /// sister, `invalidate_complete_page2`.
    fn invalidate_complete_page(&self, page: &LockedPage) -> bool {
        self.file_system.release_page(page);
        self.remove_from_page_cache(page, |page| page.dirty())
    }

    /// Writes whole pages past the cache, to the store, from the page `first` on:
    /// `generic_file_direct_write`, for a file that was opened with `O_DIRECT`.
    ///
    /// After it returns `Ok`, no mapping shows older bytes, provided that the policy is sound and that
    /// nobody stores to these pages through a mapping at the same time. Such a store makes a whole page
    /// dirty, old bytes included, and that page may be written after ours. (The kernel promises no more.)
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if there are no bytes, if they are not whole pages, or if they do not lie within
    /// the file. [`Errno::Io`] if the store fails or if a page was dirtied through a mapping meanwhile:
    /// some of the bytes may have reached the store then, and dirty pages may overwrite them.
    pub fn direct_write(&self, first: u64, bytes: &[u8]) -> Result<(), Errno> {
        let pages = (bytes.len() / PAGE_SIZE) as u64;
        let _size_stays = read(&self.i_rwsem);
        let end = first.checked_add(pages).ok_or(Errno::Invalid)?;
        if pages == 0 || bytes.len() % PAGE_SIZE != 0 || end > self.size() / PAGE_SIZE as u64 {
            return Err(Errno::Invalid);
        }
        let range = first..=end - 1;
        self.filemap_write_and_wait_range(range.clone())?;
        self.invalidate_inode_pages2_range(range.clone())?;
        let written = range
            .clone()
            .zip(bytes.chunks_exact(PAGE_SIZE))
            .try_for_each(|(index, page)| self.store.write_page(index, page))
            .map_err(|_| self.io_failed());
        // A fault may have read a page again while the store was written, even by a write that failed
        // halfway.
        let invalidated = self.invalidate_inode_pages2_range(range);
        written.and(invalidated)
    }
}
