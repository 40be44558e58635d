//! A process's view of files: `struct mm_struct`, its areas and its page table.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::vec::Vec;

use core::fmt;
use core::ops::RangeInclusive;

use super::census::Census;
use super::locks::{lock, read, write};
use super::mapping::AddressSpace;
use super::page::{PAGE_SIZE, PageRef};
use super::policy::Policy;
use crate::sync::kernel::{Mutex, MutexGuard, RwLock};

/// An entry of a page table: `pte_t`.
#[derive(Debug)]
pub(super) struct Pte {
    pub(super) page: PageRef,
}

/// Page number to entry. One lock for all of it: `page_table_lock`, as before `SPLIT_PTLOCK`.
#[derive(Debug, Default)]
pub(super) struct PageTable {
    ptes: Mutex<BTreeMap<u64, Pte>>,
}

impl PageTable {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Pte>> {
        lock(&self.ptes)
    }
}

/// A stretch of an address space that shows a stretch of a file: what `i_mmap` knows of an area.
pub(super) struct MappedRange {
    pub(super) page_table: Arc<PageTable>,
    /// Page numbers of the address space.
    pub(super) start: u64,
    pub(super) pages: u64,
    /// The page of the file that `start` shows.
    pub(super) file_start: u64,
    census: Arc<Census>,
}

impl MappedRange {
    /// Clears the ptes that show the pages `range` of the file: `zap_page_range`.
    pub(super) fn zap(&self, range: &RangeInclusive<u64>, even_cows: bool) {
        let first = self.file_start.max(*range.start());
        let Some(last) = (self.file_start + self.pages).checked_sub(1) else {
            return;
        };
        let last = last.min(*range.end());
        if first > last {
            return;
        }
        let to_address = |index: u64| index - self.file_start + self.start;
        let mut ptes = self.page_table.lock();
        let doomed: Vec<u64> = ptes
            .range(to_address(first)..=to_address(last))
            .filter(|(_, pte)| even_cows || !pte.page.anonymous())
            .map(|(number, _)| *number)
            .collect();
        for number in doomed {
            if let Some(pte) = ptes.remove(&number) {
                self.clear(pte);
            }
        }
    }

    /// What is left to do for a pte that has been taken out of the table.
    fn clear(&self, pte: Pte) {
        if !pte.page.anonymous() && !pte.page.in_cache() {
            self.census.orphan_unmapped();
        }
        pte.page.remove_rmap();
    }
}

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
    /// As in the kernel the file may be shorter: who touches what is not there gets a `SIGBUS`.
    pub fn mmap(&self, mapping: &Arc<AddressSpace<P>>, file_start: u64, pages: u64) -> u64 {
        let mut areas = write(&self.areas);
        // The page at address 0 stays free, as does one between any two areas.
        let start = areas
            .last_key_value()
            .map_or(1, |(start, area)| start + area.range.pages + 1);
        let range = Arc::new(MappedRange {
            page_table: Arc::clone(&self.page_table),
            start,
            pages,
            file_start,
            census: Arc::clone(&mapping.census),
        });
        mapping.link(Arc::clone(&range));
        areas.insert(
            start,
            Vma {
                mapping: Arc::clone(mapping),
                range,
            },
        );
        start * PAGE_SIZE as u64
    }

    /// Takes the ptes of `pages` pages from `address` on away; the next access faults them in
    /// again: `madvise(MADV_DONTNEED)`.
    pub fn madvise_dontneed(&self, address: u64, pages: u64) {
        let first = address / PAGE_SIZE as u64;
        let end = first.saturating_add(pages);
        for (start, area) in read(&self.areas).range(..end) {
            let range = &area.range;
            let from = first.max(*start);
            let to = end.min(start + range.pages);
            if from < to {
                let to_index = |number| number - start + range.file_start;
                range.zap(&(to_index(from)..=to_index(to - 1)), true);
            }
        }
    }
}

impl<P: Policy> Default for Mm<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Policy> Drop for Mm<P> {
    fn drop(&mut self) {
        for (_, area) in core::mem::take(&mut *write(&self.areas)) {
            // First the ptes, then the way to them: a truncate in between still finds them.
            area.range.zap(&(0..=u64::MAX), true);
            area.mapping.unlink(&area.range);
        }
    }
}

impl<P: Policy> fmt::Debug for Mm<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mm").finish_non_exhaustive()
    }
}
