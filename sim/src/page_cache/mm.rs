//! A process's view of files: `struct mm_struct`, its areas, and what is mapped there.

use std::collections::BTreeMap;
use std::sync::Arc;

use core::fmt;
use core::ops::Range;

use super::mapping::AddressSpace;
use super::page::PAGE_SIZE;
use super::page_table::{MappedRange, PageTable, Sharing, page_number};
use super::policy::Policy;
use crate::locks::{read, write};
use crate::sync::RwLock;

/// An area of an address space: `struct vm_area_struct`.
pub(super) struct Vma<P> {
    pub(super) mapping: Arc<AddressSpace<P>>,
    pub(super) range: Arc<MappedRange>,
}

/// The address space of a process: `struct mm_struct`.
///
/// Dropping it unmaps everything: `exit_mmap`.
pub struct Mm<P: Policy> {
    /// The areas by page number, under `mmap_sem`: faults read, `mmap` and `munmap` write.
    pub(super) areas: RwLock<BTreeMap<u64, Vma<P>>>,
    pub(super) page_table: Arc<PageTable>,
}

impl<P: Policy> Mm<P> {
    /// An empty address space.
    #[must_use]
    pub fn new() -> Self {
        Self {
            areas: RwLock::default(),
            page_table: Arc::default(),
        }
    }

    /// Maps `pages` pages of a file from its page `file_start` on; returns the address.
    ///
    /// As in the kernel, the file may be shorter: touching what is not there raises `SIGBUS`.
    ///
    /// # Panics
    ///
    /// If `pages` is 0, or more than fit the address space or the largest file.
    pub fn mmap(
        &self,
        mapping: &Arc<AddressSpace<P>>,
        file_start: u64,
        pages: u64,
        sharing: Sharing,
    ) -> u64 {
        let mut areas = write(&self.areas);
        // The page at address 0 stays free, as does one between any two areas.
        let start = areas
            .last_key_value()
            .map_or(1, |(start, area)| start + area.range.pages + 1);
        assert!(pages != 0, "an area has at least one page");
        assert!(
            start.saturating_add(pages) < LAST_PAGE && file_start.saturating_add(pages) < LAST_PAGE,
            "an area fits the address space, and its part of the file fits the largest file"
        );
        let range = Arc::new(MappedRange {
            page_table: Arc::clone(&self.page_table),
            start,
            pages,
            file_start,
            sharing,
            census: Arc::clone(&mapping.census),
        });
        let mapping = Arc::clone(mapping);
        mapping.link(Arc::clone(&range));
        areas.insert(start, Vma { mapping, range });
        start * PAGE_SIZE as u64
    }

    /// Unmaps `pages` pages from `address` on, whatever part of them is mapped.
    ///
    /// What was stored through a shared mapping stays in the page cache; private copies are gone.
    pub fn munmap(&self, address: u64, pages: u64) {
        let gone = page_numbers(address, pages);
        if gone.is_empty() {
            return;
        }
        let mut areas = write(&self.areas);
        let hit: Vec<u64> = areas
            .range(..gone.end)
            .filter(|(start, area)| **start + area.range.pages > gone.start)
            .map(|(start, _)| *start)
            .collect();
        for start in hit {
            let Some(Vma { mapping, range }) = areas.remove(&start) else {
                continue;
            };
            let end = start + range.pages;
            let kept = [start..gone.start.max(start), gone.end.min(end)..end];
            for part in kept.into_iter().filter(|part| !part.is_empty()) {
                let range = range.part(part.clone());
                mapping.link(Arc::clone(&range));
                let mapping = Arc::clone(&mapping);
                areas.insert(part.start, Vma { mapping, range });
            }
            // First the ptes, then the link to them: a truncate in between still finds them.
            let gone = gone.start.max(start)..gone.end.min(end);
            range.zap(&(range.index(gone.start)..=range.index(gone.end - 1)), true);
            mapping.unlink(&range);
        }
    }

    /// Clears the ptes of `pages` pages from `address` on; the next access faults them in again:
    /// `madvise(MADV_DONTNEED)`.
    pub fn madvise_dontneed(&self, address: u64, pages: u64) {
        let numbers = page_numbers(address, pages);
        for (start, area) in read(&self.areas).range(..numbers.end) {
            let range = &area.range;
            let part = numbers.start.max(*start)..numbers.end.min(start + range.pages);
            if !part.is_empty() {
                range.zap(&(range.index(part.start)..=range.index(part.end - 1)), true);
            }
        }
    }
}

/// No area and no file has a page number as high as this.
const LAST_PAGE: u64 = u64::MAX / PAGE_SIZE as u64;

/// The pages of a range of the address space.
fn page_numbers(address: u64, pages: u64) -> Range<u64> {
    let start = page_number(address);
    start..start.saturating_add(pages)
}

impl<P: Policy> Default for Mm<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Policy> Drop for Mm<P> {
    fn drop(&mut self) {
        self.munmap(0, u64::MAX);
    }
}

impl<P: Policy> fmt::Debug for Mm<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mm").finish_non_exhaustive()
    }
}
