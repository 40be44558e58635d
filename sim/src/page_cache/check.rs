//! What must hold for a mapping whenever it is idle.

use std::collections::BTreeMap;
use std::sync::Arc;

use core::fmt;

use super::mapping::AddressSpace;
use super::page::{PAGE_SIZE, Page, PageRef};

#[cfg(test)]
mod tests;

/// An invariant that does not hold. Each names a page of the file by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Violation {
    /// A pte points to a page that is not in the cache, or not any more: the race itself.
    Orphan {
        /// The page.
        index: u64,
    },
    /// Ptes that pointed to such a page and are gone now.
    OrphansUnmapped {
        /// How many there were.
        ptes: u64,
    },
    /// `mapcount` is not the number of ptes that point to the page.
    Mapcount {
        /// The page.
        index: u64,
        /// What it says.
        mapcount: u32,
        /// How many there are.
        ptes: u32,
    },
    /// The references are more or fewer than one from the cache and one from each pte.
    References {
        /// The page.
        index: u64,
        /// How many there are.
        references: usize,
        /// How many are accounted for.
        known: usize,
    },
    /// Pages are alive that neither the cache nor a pte refers to.
    Leaked {
        /// How many.
        pages: usize,
    },
    /// A page beyond the end of the file is mapped, perhaps as a private copy.
    BeyondEnd {
        /// The page.
        index: u64,
    },
    /// User space may write to the page, or has, and the file system has no metadata for it.
    NoMetadata {
        /// The page.
        index: u64,
    },
    /// The file system keeps metadata for a page that is not dirty.
    MetadataLeft {
        /// The page.
        index: u64,
    },
    /// User space may write to the page, but it is not dirty: what is written will be lost.
    DirtyLost {
        /// The page.
        index: u64,
    },
    /// A page that is not dirty differs from the store: its bytes are older than the last direct
    /// write.
    Stale {
        /// The page.
        index: u64,
        /// Whether it is mapped.
        mapped: bool,
    },
    /// The page is locked or under writeback although nothing is running.
    Busy {
        /// The page.
        index: u64,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orphan { index } => {
                write!(f, "page {index} is mapped but not in the cache")
            }
            Self::OrphansUnmapped { ptes } => {
                write!(f, "{ptes} ptes pointed to pages that were not in the cache")
            }
            Self::Mapcount {
                index,
                mapcount,
                ptes,
            } => write!(
                f,
                "page {index} has a mapcount of {mapcount} and {ptes} ptes"
            ),
            Self::References {
                index,
                references,
                known,
            } => write!(
                f,
                "page {index} has {references} references, of which {known} are accounted for"
            ),
            Self::Leaked { pages } => {
                write!(f, "{pages} pages are neither cached nor mapped, but alive")
            }
            Self::BeyondEnd { index } => {
                write!(f, "page {index} is mapped beyond the end of the file")
            }
            Self::NoMetadata { index } => {
                write!(f, "page {index} is writable or dirty without metadata")
            }
            Self::MetadataLeft { index } => {
                write!(f, "page {index} has metadata and is not dirty")
            }
            Self::DirtyLost { index } => {
                write!(f, "page {index} is writable but not dirty")
            }
            Self::Stale { index, mapped } => write!(
                f,
                "page {index} is {} and differs from the store",
                if *mapped { "mapped" } else { "cached" }
            ),
            Self::Busy { index } => {
                write!(
                    f,
                    "page {index} is locked or under writeback, but nothing is running"
                )
            }
        }
    }
}

/// What is known about one page.
struct Known {
    page: PageRef,
    cached: bool,
    ptes: u32,
    writable: bool,
    /// The page of the file that the ptes stand for.
    index: u64,
}

/// Pages by index and address: several may have the same index, private copies for instance.
type KnownPages = BTreeMap<(u64, *const Page), Known>;

fn meet<'a>(known: &'a mut KnownPages, page: &PageRef, index: u64) -> &'a mut Known {
    known
        .entry((page.index(), Arc::as_ptr(page)))
        .or_insert_with(|| Known {
            page: PageRef::clone(page),
            cached: false,
            ptes: 0,
            writable: false,
            index,
        })
}

impl<P> AddressSpace<P> {
    /// Checks every invariant. No other call for this mapping may be under way.
    ///
    /// It inspects the cache and every page table that shows a part of the file, and finds nothing
    /// wrong in an intact mapping.
    ///
    /// # Errors
    ///
    /// All violations, page by page.
    pub fn check(&self) -> Result<(), Vec<Violation>> {
        let known = self.known_pages();
        let mut wrong = Vec::new();
        if self.orphans() != 0 {
            let ptes = self.orphans();
            wrong.push(Violation::OrphansUnmapped { ptes });
        }
        for known in known.values() {
            self.check_page(known, &mut wrong);
        }
        let unknown = self.live_pages().abs_diff(known.len());
        if unknown != 0 {
            wrong.push(Violation::Leaked { pages: unknown });
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong),
        }
    }

    /// Every page that the cache or a pte points to.
    fn known_pages(&self) -> KnownPages {
        let mut known = KnownPages::new();
        for page in self.pages_in(0..=u64::MAX) {
            meet(&mut known, &page, page.index()).cached = true;
        }
        self.for_each_pte(|index, pte| {
            let known = meet(&mut known, &pte.page, index);
            known.ptes += 1;
            known.writable |= pte.writable;
            // The index at which it is mapped, should that ever differ from its own.
            known.index = index;
        });
        known
    }

    fn check_page(&self, known: &Known, wrong: &mut Vec<Violation>) {
        let Known { page, index, .. } = known;
        let index = *index;
        let mapped = known.ptes != 0;
        if page.mapcount() != known.ptes {
            wrong.push(Violation::Mapcount {
                index,
                mapcount: page.mapcount(),
                ptes: known.ptes,
            });
        }
        // Not counting our own.
        let references = Arc::strong_count(page) - 1;
        let accounted = known.ptes as usize + usize::from(known.cached);
        if references != accounted {
            wrong.push(Violation::References {
                index,
                references,
                known: accounted,
            });
        }
        if mapped && index >= self.pages() {
            wrong.push(Violation::BeyondEnd { index });
        }
        if page.locked() || page.writeback() {
            wrong.push(Violation::Busy { index });
        }
        if page.anonymous() {
            return;
        }
        if mapped && !(known.cached && page.in_cache()) {
            wrong.push(Violation::Orphan { index });
            return;
        }
        if known.writable && !page.dirty() {
            wrong.push(Violation::DirtyLost { index });
        }
        match self.file_system.has_metadata(index) {
            Some(false) if known.writable || page.dirty() => {
                wrong.push(Violation::NoMetadata { index });
            }
            Some(true) if !page.dirty() => wrong.push(Violation::MetadataLeft { index }),
            _ => {}
        }
        if self.is_stale(page) {
            wrong.push(Violation::Stale { index, mapped });
        }
    }

    /// Whether a page that should have the bytes of the store differs. A store that fails proves
    /// nothing.
    fn is_stale(&self, page: &Page) -> bool {
        if !page.uptodate() || page.dirty() || page.error() {
            return false;
        }
        let start = page.index().saturating_mul(PAGE_SIZE as u64);
        let within_file = self.size().saturating_sub(start).min(PAGE_SIZE as u64) as usize;
        let (mut ours, mut theirs) = ([0; PAGE_SIZE], [0; PAGE_SIZE]);
        page.copy_out(&mut ours);
        match self.store.read_page(page.index(), &mut theirs) {
            // What user space stores beyond the end of the file does not count.
            Ok(()) => ours[..within_file] != theirs[..within_file],
            Err(_) => false,
        }
    }
}
