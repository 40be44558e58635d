//! The page cache of one file: `struct address_space`, and the part of `mm/filemap.c` that finds,
//! adds and reads pages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use core::fmt;
use core::ops::RangeInclusive;

use crossbeam_utils::CachePadded;

use super::census::Census;
use super::error::{Errno, VmFault};
use super::file_system::FileSystem;
use super::page::{LockedPage, PAGE_SIZE, Page, PageRef};
use super::page_table::{MappedRange, Pte};
use super::policy::Policy;
use super::store::Store;
use crate::locks::{lock, read, write};
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::sync::{Mutex, RwLock, TREE_LOCKS};

#[cfg(test)]
mod tests;

/// How many neighbouring pages share a tree lock: as many as a node of the kernel's radix tree has.
const NODE: u64 = 64;

/// The page cache of one file: `struct address_space`, with the parts of the inode that belong to
/// it.
///
/// Order of locks, outermost first (`mmap_sem` is the [`Mm`](super::Mm)'s):
///
/// ```text
/// mmap_sem -> i_rwsem -> the policy's exclusion -> locks of the file system -> page lock
///     -> i_mmap_lock -> page-table lock
///     -> tree_lock
/// ```
///
/// Sections of the sequence lock have no place in this order: no thread inside one waits for a
/// thread that waits for it.
pub struct AddressSpace<P> {
    /// On its own cache line: some policies write to it in every fault, and the neighbouring fields
    /// should not pay for that.
    pub(super) policy: CachePadded<P>,
    pub(super) store: Box<dyn Store>,
    pub(super) file_system: Box<dyn FileSystem>,
    /// The page index, `page_tree`, each part under its own `tree_lock`.
    tree: Box<[RwLock<BTreeMap<u64, PageRef>>]>,
    /// In bytes. When the file is cut, this shrinks before anything else.
    i_size: AtomicU64,
    /// How often mappings have been torn down because the file was cut.
    truncate_count: AtomicU32,
    /// Who maps the file, and where: `i_mmap` under `i_mmap_lock`.
    i_mmap: Mutex<Vec<Arc<MappedRange>>>,
    /// Shared by direct writes, exclusive for a truncate: `i_rwsem` (`i_alloc_sem` in 2005).
    pub(super) i_rwsem: RwLock<()>,
    pub(super) census: Arc<Census>,
}

impl<P: Policy> AddressSpace<P> {
    /// An empty cache over `store`.
    ///
    /// # Errors
    ///
    /// [`Errno::Io`] if the store cannot tell its size.
    pub fn new(
        store: impl Store + 'static,
        file_system: impl FileSystem + 'static,
    ) -> Result<Arc<Self>, Errno> {
        let i_size = store.size().map_err(|_| Errno::Io)?;
        Ok(Arc::new(Self {
            policy: CachePadded::new(P::new()),
            store: Box::new(store),
            file_system: Box::new(file_system),
            tree: (0..TREE_LOCKS).map(|_| RwLock::default()).collect(),
            i_size: AtomicU64::new(i_size),
            truncate_count: AtomicU32::new(0),
            i_mmap: Mutex::new(Vec::new()),
            i_rwsem: RwLock::new(()),
            census: Arc::default(),
        }))
    }

    /// Finds a page, or reads it from the store: `filemap_nopage`, which is `filemap_fault` today.
    ///
    /// With `keep_lock` the page is returned locked and is in the cache; without, it was in the
    /// cache.
    pub(super) fn nopage(
        &self,
        index: u64,
        keep_lock: bool,
        deadline: Option<Instant>,
    ) -> Result<Found, VmFault> {
        loop {
            let mut read_it = false;
            let locked = match self.find_get_page(index) {
                Some(page) if page.uptodate() && !keep_lock => return Ok(Found::Page(page)),
                Some(page) => page.lock_until(deadline)?,
                None => {
                    let page = Page::new_locked(index, &self.census);
                    if !self.add_to_page_cache(&page) {
                        continue;
                    }
                    page
                }
            };
            if !locked.in_cache() {
                continue;
            }
            if !locked.uptodate() {
                self.read_page(&locked)?;
                read_it = true;
            }
            // Checked again, now that the page is in the cache and locked: a truncate that has
            // already shrunk i_size is seen here, and one that has yet to do so will find the page.
            if index >= self.pages() {
                return Err(VmFault::Sigbus);
            }
            return Ok(match keep_lock {
                true => Found::Locked(locked, read_it),
                false => Found::Read(PageRef::clone(locked.page())),
            });
        }
    }

    /// `readpage`.
    fn read_page(&self, page: &LockedPage) -> Result<(), VmFault> {
        let mut bytes = [0; PAGE_SIZE];
        if self.store.read_page(page.index(), &mut bytes).is_err() {
            self.io_failed();
            return Err(VmFault::Sigbus);
        }
        let size = self.size().saturating_sub(page.index() * PAGE_SIZE as u64);
        if size < PAGE_SIZE as u64 {
            bytes[size as usize..].fill(0);
        }
        page.copy_in(&bytes);
        page.set_uptodate();
        Ok(())
    }
}

/// What [`AddressSpace::nopage`] found.
pub(super) enum Found {
    /// A page that was there.
    Page(PageRef),
    /// A page that had to be read.
    Read(PageRef),
    /// A locked page, and whether it had to be read.
    Locked(LockedPage, bool),
}

impl<P> AddressSpace<P> {
    /// The size of the file in bytes: `i_size_read`.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.i_size.load(Ordering::Acquire)
    }

    /// The size of the file in pages, rounded up.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.size().div_ceil(PAGE_SIZE as u64)
    }

    /// How many ptes stayed on pages that had been removed from the cache. Only those that have been
    /// unmapped since are counted. Zero if the policy is sound.
    #[must_use]
    pub fn orphans(&self) -> u64 {
        self.census.orphans()
    }

    /// How many calls of the store have failed.
    #[must_use]
    pub fn io_errors(&self) -> u64 {
        self.census.io_errors()
    }

    /// How many pages of this file are alive: in the cache, mapped, or referred to. When nothing is
    /// running and every [`Mm`](super::Mm) is gone, only those in the cache.
    #[must_use]
    pub fn live_pages(&self) -> usize {
        self.census.pages()
    }

    /// How often a fault has made a page writable, and so dirty.
    #[must_use]
    pub fn times_dirtied(&self) -> u64 {
        self.census.times_dirtied()
    }

    /// How often `file_update_time` has been called.
    #[must_use]
    pub fn times_updated(&self) -> u64 {
        self.census.times_updated()
    }

    /// Counts a failed call of the store, and returns the error for its caller.
    pub(super) fn io_failed(&self) -> Errno {
        self.census.io_failed();
        Errno::Io
    }

    /// `i_size_write`.
    pub(super) fn set_size(&self, size: u64) {
        self.i_size.store(size, Ordering::Release);
    }

    pub(super) fn truncate_count_add(&self) {
        self.truncate_count.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn truncate_count(&self) -> u32 {
        self.truncate_count.load(Ordering::Acquire)
    }

    #[allow(clippy::modulo_one, reason = "models have one lock")]
    fn tree(&self, index: u64) -> &RwLock<BTreeMap<u64, PageRef>> {
        &self.tree[(index / NODE) as usize % TREE_LOCKS]
    }

    /// `find_get_page`.
    pub(super) fn find_get_page(&self, index: u64) -> Option<PageRef> {
        read(self.tree(index)).get(&index).cloned()
    }

    /// `add_to_page_cache`; `false` if another thread was first.
    fn add_to_page_cache(&self, page: &LockedPage) -> bool {
        let mut tree = write(self.tree(page.index()));
        if tree.contains_key(&page.index()) {
            return false;
        }
        tree.insert(page.index(), PageRef::clone(page.page()));
        page.set_in_cache(true);
        true
    }

    /// `remove_from_page_cache`, unless the page is `busy`, which is asked with the tree locked.
    pub(super) fn remove_from_page_cache(
        &self,
        page: &LockedPage,
        busy: impl FnOnce(&Page) -> bool,
    ) -> bool {
        let mut tree = write(self.tree(page.index()));
        if busy(page) {
            return false;
        }
        page.set_in_cache(false);
        tree.remove(&page.index());
        true
    }

    /// The pages of `range` that are in the cache, in order: `pagevec_lookup`, all at once.
    pub(super) fn pages_in(&self, range: RangeInclusive<u64>) -> Vec<PageRef> {
        let nodes = range.end() / NODE - range.start() / NODE;
        let mut found: Vec<PageRef> = (0..=nodes.min(TREE_LOCKS as u64 - 1))
            .flat_map(|node| {
                let tree = read(self.tree(range.start().saturating_add(node * NODE)));
                let pages = tree.range(range.clone()).map(|(_, page)| page.clone());
                pages.collect::<Vec<_>>()
            })
            .collect();
        found.sort_by_key(|page| page.index());
        found
    }

    /// Makes every pte of the page read-only: `page_mkclean`.
    pub(super) fn page_mkclean(&self, page: &LockedPage) {
        for mapped in lock(&self.i_mmap).iter() {
            mapped.mkclean(page.index());
        }
    }

    /// Clears every pte of the pages of `range`, in every `Mm`: `unmap_mapping_range`.
    ///
    /// Private copies stay, unless `even_cows`.
    pub(super) fn unmap_mapping_range(&self, range: &RangeInclusive<u64>, even_cows: bool) {
        for mapped in lock(&self.i_mmap).iter() {
            mapped.zap(range, even_cows);
        }
    }

    /// Calls `look` with every pte of the file and the page of the file that it stands for.
    pub(super) fn for_each_pte(&self, mut look: impl FnMut(u64, &Pte)) {
        for mapped in lock(&self.i_mmap).iter() {
            let ptes = mapped.page_table.lock();
            for (number, pte) in ptes.range(mapped.numbers(&(0..=u64::MAX))) {
                look(mapped.index(*number), pte);
            }
        }
    }

    pub(super) fn link(&self, mapped: Arc<MappedRange>) {
        lock(&self.i_mmap).push(mapped);
    }

    pub(super) fn unlink(&self, mapped: &Arc<MappedRange>) {
        lock(&self.i_mmap).retain(|other| !Arc::ptr_eq(other, mapped));
    }
}

impl<P> fmt::Debug for AddressSpace<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressSpace")
            .field("store", &self.store)
            .field("file_system", &self.file_system)
            .field("i_size", &self.i_size.load(Ordering::Relaxed))
            .field("orphans", &self.orphans())
            .field("io_errors", &self.io_errors())
            .finish_non_exhaustive()
    }
}
