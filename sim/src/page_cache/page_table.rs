//! The page table of a process, and the ranges of it that show a file: what a fault fills in and an
//! invalidate clears.

use std::collections::BTreeMap;
use std::sync::Arc;

use core::ops::{Range, RangeInclusive};

use super::census::Census;
use super::page::{PAGE_SIZE, PageRef};
use crate::locks::lock;
use crate::sync::{Mutex, MutexGuard};

/// The page of an address.
pub(super) fn page_number(address: u64) -> u64 {
    address / PAGE_SIZE as u64
}

/// An entry of a page table: `pte_t`.
#[derive(Debug)]
pub(super) struct Pte {
    pub(super) page: PageRef,
    pub(super) writable: bool,
    /// Set by every store through it.
    pub(super) dirty: bool,
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

/// A range of an address space that shows a range of a file: what `i_mmap` knows of an area.
pub(super) struct MappedRange {
    pub(super) page_table: Arc<PageTable>,
    /// Page numbers of the address space.
    pub(super) start: u64,
    pub(super) pages: u64,
    /// The page of the file that `start` shows.
    pub(super) file_start: u64,
    pub(super) sharing: Sharing,
    pub(super) census: Arc<Census>,
}

/// Whether stores through a mapping reach the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// They do: `MAP_SHARED`.
    Shared,
    /// The first store to a page makes a copy of it: `MAP_PRIVATE`.
    Private,
}

impl MappedRange {
    /// The page of the file that the page `number` of the address space shows: `linear_page_index`.
    pub(super) fn index(&self, number: u64) -> u64 {
        number - self.start + self.file_start
    }

    /// The page numbers of the address space that show pages of `range`.
    pub(super) fn numbers(&self, range: &RangeInclusive<u64>) -> Range<u64> {
        let to_number = |index: u64| {
            let position = index.saturating_sub(self.file_start).min(self.pages);
            self.start + position
        };
        to_number(*range.start())..to_number(range.end().saturating_add(1))
    }

    /// Clears the ptes that show the pages `range` of the file: `zap_page_range`.
    pub(super) fn zap(&self, range: &RangeInclusive<u64>, even_cows: bool) {
        let mut ptes = self.page_table.lock();
        let mut numbers = self.numbers(range);
        let doomed = |pte: &Pte| even_cows || !pte.page.anonymous();
        while let Some((&number, _)) = ptes.range(numbers.clone()).find(|(_, pte)| doomed(pte)) {
            if let Some(pte) = ptes.remove(&number) {
                self.clear(pte);
            }
            numbers.start = number + 1;
        }
    }

    /// Finishes the removal of a pte that was taken out of the table, which is still locked.
    fn clear(&self, pte: Pte) {
        if !pte.page.anonymous() {
            if !pte.page.in_cache() {
                self.census.orphan_unmapped();
            }
            // The page is already dirty: nothing here makes a pte writable otherwise. The rule is
            // older, and cheap.
            if pte.dirty {
                pte.page.set_dirty_by_pte();
            }
        }
        pte.page.remove_rmap();
    }

    /// Makes the ptes of a page of the file read-only: `page_mkclean_one`.
    pub(super) fn mkclean(&self, index: u64) {
        let mut ptes = self.page_table.lock();
        for (_, pte) in ptes.range_mut(self.numbers(&(index..=index))) {
            if !pte.page.anonymous() {
                pte.writable = false;
                pte.dirty = false;
            }
        }
    }

    /// The same for a part of the pages, from `numbers.start` on.
    pub(super) fn part(&self, numbers: Range<u64>) -> Arc<Self> {
        Arc::new(Self {
            page_table: Arc::clone(&self.page_table),
            start: numbers.start,
            pages: numbers.end - numbers.start,
            file_start: self.index(numbers.start),
            sharing: self.sharing,
            census: Arc::clone(&self.census),
        })
    }
}
