//! Writing dirty pages to the store: `mm/page-writeback.c`, and `page_mkclean` of `mm/rmap.c`.

use core::ops::RangeInclusive;

use super::error::Errno;
use super::mapping::AddressSpace;
use super::page::{LockedPage, PAGE_SIZE};
use super::policy::Policy;

impl<P: Policy> AddressSpace<P> {
    /// Writes the dirty pages of `range` and waits until they are written:
    /// `filemap_write_and_wait_range`. Returns how many there were.
    ///
    /// Every pte of such a page becomes read-only first, so that the next store to it faults and the
    /// file system hears of it.
    ///
    /// # Errors
    ///
    /// [`Errno::Io`] if the store fails. All other pages are still written. The failed page is no
    /// longer dirty and keeps its bytes until it is dropped, as in the kernel.
    pub fn filemap_write_and_wait_range(&self, range: RangeInclusive<u64>) -> Result<u64, Errno> {
        let mut written = 0;
        let mut result = Ok(());
        for page in self.pages_in(range) {
            if page.at_rest() {
                continue;
            }
            let page = page.lock();
            if !page.in_cache() {
                continue;
            }
            // Another thread may be writing it. That counts as our write, or comes before it.
            page.wait_on_writeback();
            if !self.clear_page_dirty_for_io(&page) {
                continue;
            }
            written += 1;
            if self.write_page(page).is_err() {
                result = Err(Errno::Io);
            }
        }
        result.map(|()| written)
    }

    /// `clear_page_dirty_for_io`: whether the page was dirty.
    fn clear_page_dirty_for_io(&self, page: &LockedPage) -> bool {
        if !page.dirty() {
            return false;
        }
        // First the ptes, then the bit: a store in between faults, and waits for the page lock.
        self.page_mkclean(page);
        page.clear_dirty();
        true
    }

    /// `writepage`: starts the I/O, unlocks the page, and (there is no interrupt to do it) ends it.
    fn write_page(&self, page: LockedPage) -> Result<(), Errno> {
        self.file_system.page_cleaned(&page);
        page.set_writeback();
        let size = self.size().saturating_sub(page.index() * PAGE_SIZE as u64);
        let within_file = size.min(PAGE_SIZE as u64) as usize;
        let mut bytes = [0; PAGE_SIZE];
        page.copy_out(&mut bytes);
        let page = page.unlock();

        let result = match within_file {
            0 => Ok(()), // cut off meanwhile; the truncate waits for us and drops the page
            _ => self.store.write_page(page.index(), &bytes[..within_file]),
        };
        page.end_writeback(result.is_ok());
        result.map_err(|_| self.io_failed())
    }

    /// `balance_dirty_pages_ratelimited`: the place where threads that dirty pages too fast would
    /// be slowed down. Only counts.
    pub(super) fn balance_dirty_pages(&self) {
        self.census.dirtied();
    }

    /// `file_update_time`. Only counts.
    pub(super) fn file_update_time(&self) {
        self.census.time_updated();
    }
}
