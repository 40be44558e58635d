//! The file of a ring: its page cache, its `private_data`, and the ptes of its one mapping.

use std::sync::Arc;

use super::page::{RingPage, is};
use super::violation::Violation;
use super::witness::Witness;
use crate::aio::errno::Errno;
use crate::aio::lifetime::Lifetime;
use crate::aio::lockdep::{Deadlock, LockClass};
use crate::aio::locks::{SpinGuard, SpinLock};
use crate::locks::{lock, wait};
use crate::sync::{Condvar, Mutex};

/// `private_data` of a mapping, behind `private_lock`.
#[derive(Debug)]
pub(super) struct PrivateData<C> {
    context: Option<(Arc<C>, Lifetime)>,
}

impl<C> PrivateData<C> {
    pub(super) fn context(&self) -> Option<Arc<C>> {
        self.context
            .as_ref()
            .map(|(context, _)| Arc::clone(context))
    }
}

/// `aio_ring_file` and its mapping. To the file, `private_data` is a pointer to anything.
#[derive(Debug)]
pub(super) struct RingFile<C> {
    /// The page cache, behind its `tree_lock`.
    pages: Mutex<Vec<Option<Arc<RingPage>>>>,
    private_data: SpinLock<PrivateData<C>>,
    ptes: Mutex<Vec<Pte>>,
    /// Where user space waits for the end of a migration.
    migrated: Condvar,
    witness: Arc<Witness>,
}

#[derive(Clone, Debug)]
enum Pte {
    None,
    Page(Arc<RingPage>),
    /// A page that is being moved.
    Migration,
}

impl<C> RingFile<C> {
    /// A file with room for so many pages.
    pub(super) fn new(pages: usize, witness: &Arc<Witness>) -> Arc<Self> {
        let nothing = PrivateData { context: None };
        Arc::new(Self {
            pages: Mutex::new(vec![None; pages]),
            private_data: SpinLock::new(LockClass::PrivateLock, &witness.lockdep, nothing),
            ptes: Mutex::new(vec![Pte::None; pages]),
            migrated: Condvar::new(),
            witness: Arc::clone(witness),
        })
    }

    pub(super) fn report(&self, violation: Violation) {
        self.witness.report(violation);
    }

    pub(super) fn pause(&self) {
        self.witness.pause();
    }

    /// How many pages it has room for.
    pub(super) fn len(&self) -> usize {
        lock(&self.pages).len()
    }

    /// `private_lock` and what it protects.
    pub(super) fn private_data(&self) -> SpinGuard<'_, PrivateData<C>> {
        self.private_data.lock()
    }

    pub(super) fn set_private_data(&self, context: Option<Arc<C>>) {
        let context = context.map(|context| (context, Lifetime::begin(&self.witness.private_data)));
        let old = core::mem::replace(&mut self.private_data.lock().context, context);
        if let Some((_, lifetime)) = old {
            lifetime.end();
        }
    }

    /// The page in the cache.
    pub(super) fn page(&self, index: usize) -> Option<Arc<RingPage>> {
        lock(&self.pages).get(index)?.clone()
    }

    /// `find_or_create_page`: a new page with two references, of the cache and of the caller.
    pub(super) fn create_page(&self, index: usize) -> Arc<RingPage> {
        let page = RingPage::new(index, &self.witness);
        page.get();
        page.set_mapping(true);
        lock(&self.pages)[index] = Some(Arc::clone(&page));
        page
    }

    /// `migrate_page_move_mapping`: replaces `old` by `new` in the cache, if nobody has a reference except
    /// the cache, the context and the caller.
    pub(super) fn move_mapping(
        &self,
        old: &Arc<RingPage>,
        new: &Arc<RingPage>,
    ) -> Result<(), Errno> {
        const CACHE_CONTEXT_AND_CALLER: u32 = 3;
        let mut pages = lock(&self.pages);
        let place = &mut pages[old.index()];
        if !is(place.as_ref(), old) || !old.put_if_exactly(CACHE_CONTEXT_AND_CALLER) {
            return Err(Errno::Again);
        }
        new.get();
        *place = Some(Arc::clone(new));
        Ok(())
    }

    /// `truncate_setsize(0)`: removes all pages from the cache, and unmaps them.
    ///
    /// The kernel takes the lock of each page, and so waits for a migration to end: see
    /// [`page_lock`](super::version::Version::page_lock).
    pub(super) fn truncate(&self, locks_pages: bool) -> Result<(), Deadlock> {
        for index in 0..self.len() {
            // A page that moves before it is locked is looked up again.
            while let Some(page) = self.page(index) {
                let page_lock = if locks_pages {
                    Some(page.lock()?)
                } else {
                    None
                };
                let mut pages = lock(&self.pages);
                if !is(pages[index].as_ref(), &page) {
                    continue;
                }
                if !page.has_mapping() {
                    break; // it seems to belong to no file, and stays for ever
                }
                pages[index] = None;
                drop(pages);
                page.set_mapping(false);
                self.zap(index);
                drop(page_lock);
                page.put();
                break;
            }
        }
        Ok(())
    }

    /// Maps all pages into user space: `mmap` with `MAP_POPULATE`, which faults in each of them.
    pub(super) fn map(&self) -> Result<(), Deadlock> {
        for index in 0..self.len() {
            // A page that moves before it is locked is looked up again: `filemap_fault`.
            while let Some(page) = self.page(index) {
                let _page_lock = page.lock()?;
                if is(self.page(index).as_ref(), &page) {
                    lock(&self.ptes)[index] = Pte::Page(Arc::clone(&page));
                    break;
                }
            }
        }
        Ok(())
    }

    /// `munmap`.
    pub(super) fn unmap(&self) {
        lock(&self.ptes).fill(Pte::None);
    }

    fn zap(&self, index: usize) {
        lock(&self.ptes)[index] = Pte::None;
    }

    /// The page that is mapped. `None` if there is none, or it is being moved: `follow_page`.
    pub(super) fn mapped_page(&self, index: usize) -> Option<Arc<RingPage>> {
        match lock(&self.ptes).get(index)? {
            Pte::Page(page) => Some(Arc::clone(page)),
            Pte::None | Pte::Migration => None,
        }
    }

    /// Lets user space look into a page, waiting for the end of a migration. `None` if nothing is mapped.
    ///
    /// Looking at the pte and into the page is one step, as it is when pages are freed only after the TLB
    /// has been flushed.
    pub(super) fn access<R>(&self, index: usize, look: impl FnOnce(&RingPage) -> R) -> Option<R> {
        let mut ptes = lock(&self.ptes);
        loop {
            match ptes.get(index)? {
                Pte::None => return None,
                Pte::Page(page) => return Some(look(page)),
                Pte::Migration => ptes = wait(&self.migrated, ptes),
            }
        }
    }

    /// `try_to_unmap`: user space has to wait for the page from now on. Returns whether it was mapped.
    pub(super) fn begin_migration(&self, index: usize) -> bool {
        let pte = &mut lock(&self.ptes)[index];
        let mapped = matches!(pte, Pte::Page(_));
        if mapped {
            *pte = Pte::Migration;
        }
        mapped
    }

    /// `remove_migration_ptes`: user space goes on with this page, unless it has been unmapped meanwhile.
    pub(super) fn end_migration(&self, page: &Arc<RingPage>) {
        let pte = &mut lock(&self.ptes)[page.index()];
        if matches!(pte, Pte::Migration) {
            *pte = Pte::Page(Arc::clone(page));
        }
        self.migrated.notify_all();
    }
}
