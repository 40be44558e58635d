//! Faults that make a page writable: `do_wp_page`, `do_shared_fault`, and what they share.

use std::sync::Arc;

use super::{Fault, Faulted};
use crate::page_cache::error::VmFault;
use crate::page_cache::file_system::MkWrite;
use crate::page_cache::page::{LockedPage, PageRef};
use crate::page_cache::page_table::{Pte, Sharing};
use crate::page_cache::policy::Policy;

impl<P: Policy> Fault<'_, P> {
    /// The page is mapped read-only: `do_wp_page`.
    pub(super) fn do_wp_page(&self, page: &PageRef) -> Result<Faulted, VmFault> {
        match self.area.range.sharing {
            Sharing::Private => self.wp_page_copy(page),
            Sharing::Shared => {
                if let Some(locked) = self.do_page_mkwrite(page)? {
                    self.finish_mkwrite_fault(locked, |pte| {
                        pte.is_some_and(|pte| Arc::ptr_eq(&pte.page, page))
                    });
                }
            }
        }
        Ok(Faulted::default())
    }

    /// Nothing is mapped yet: `do_shared_fault`.
    ///
    /// The page lock is held from the check of the page's mapping to the end. That keeps any
    /// invalidate away, so the policy has nothing to add.
    pub(super) fn do_shared_fault(&self, page: &PageRef) -> Result<(), VmFault> {
        if let Some(locked) = self.do_page_mkwrite(page)? {
            self.finish_mkwrite_fault(locked, |pte| pte.is_none());
        }
        Ok(())
    }

    /// Asks the file system whether the page may be written. If so, it is returned locked and is in
    /// the cache; if not, user space has to fault again.
    fn do_page_mkwrite(&self, page: &PageRef) -> Result<Option<LockedPage>, VmFault> {
        let locked = match self.area.mapping.file_system.page_mkwrite(page)? {
            MkWrite::NoPage => return Ok(None),
            MkWrite::Locked(locked) => {
                assert!(
                    Arc::ptr_eq(locked.page(), page),
                    "page_mkwrite returns the page that it was given"
                );
                locked
            }
            MkWrite::Unlocked => page.lock(),
        };
        // Removed from the cache meanwhile, or an orphan all along: user space needs another page.
        Ok(locked.in_cache().then_some(locked))
    }

    /// Makes the pte writable and the page dirty, in one step as far as writeback can tell.
    ///
    /// `pte_same` checks whether the pte is still what it was.
    fn finish_mkwrite_fault(&self, page: LockedPage, pte_same: impl FnOnce(Option<&Pte>) -> bool) {
        {
            let mut ptes = self.area.range.page_table.lock();
            if !pte_same(ptes.get(&self.number)) {
                return;
            }
            let pte = ptes.entry(self.number).or_insert_with(|| {
                page.add_rmap();
                Pte {
                    page: PageRef::clone(page.page()),
                    writable: false,
                    dirty: false,
                }
            });
            pte.writable = true;
            pte.dirty = true;
        }
        page.set_dirty();
        let mapping = page.in_cache().then_some(&self.area.mapping);
        drop(page);
        // Both may sleep, so they come after the page lock.
        if let Some(mapping) = mapping {
            mapping.balance_dirty_pages();
        }
        self.area.mapping.file_update_time();
    }

    /// Replaces the page of the file by a copy of the process's own: `wp_page_copy`.
    ///
    /// As long as the pte is the same, the page has not been removed: a mapped page must not be.
    fn wp_page_copy(&self, page: &PageRef) {
        let copy = page.anonymous_copy();
        let mut ptes = self.area.range.page_table.lock();
        if let Some(pte) = ptes.get_mut(&self.number) {
            if Arc::ptr_eq(&pte.page, page) {
                copy.add_rmap();
                page.remove_rmap();
                *pte = Pte {
                    page: copy,
                    writable: true,
                    dirty: true,
                };
            }
        }
    }
}
