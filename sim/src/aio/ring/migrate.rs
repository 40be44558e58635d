//! How a page of a ring is moved elsewhere in memory: `unmap_and_move` and `aio_migratepage`.

use std::sync::Arc;

use super::context::{KioCtx, LastUser, Ring};
use super::mm::Mm;
use super::page::{RingPage, is};
use super::version::{GetContext, Migrate, Version};
use super::violation::Violation;
use crate::aio::errno::Errno;

#[cfg(test)]
mod tests;

impl Mm {
    /// Moves a page of a ring that is mapped at `address`: `move_pages`, with `mmap_sem` held throughout.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if no page is mapped there, otherwise as [`compact`](Self::compact).
    pub fn move_pages(&self, address: u64, index: usize) -> Result<(), Errno> {
        let mmap_sem = self.mmap_sem()?;
        let ring = self.area(address).ok_or(Errno::Fault)?;
        let page = ring.mapped_page(index).ok_or(Errno::Fault)?;
        let mut last_user = None;
        let moved = self.isolate_and_move(&ring, &page, &mut last_user);
        drop(mmap_sem);
        free(last_user)?;
        moved
    }

    /// Moves a page of any ring, as memory compaction does: it knows of no process. `pick` chooses the page,
    /// modulo the number of pages.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if there is no page to move, or its file has no context.
    /// [`Errno::Again`] if the page is in use or has changed, or its ring is locked.
    /// [`Errno::Busy`] if the context went away meanwhile, in versions before the merged one.
    /// [`Errno::Deadlock`] if waiting would have been one.
    pub fn compact(&self, pick: usize) -> Result<(), Errno> {
        let rings = self.lru();
        let pages: Vec<_> = rings
            .iter()
            .flat_map(|ring| (0..ring.len()).map(move |index| (ring, index)))
            .collect();
        let pick = pick.checked_rem(pages.len()).ok_or(Errno::Invalid)?;
        let (ring, index) = pages[pick];
        let page = ring.page(index).ok_or(Errno::Invalid)?;
        let mut last_user = None;
        let moved = self.isolate_and_move(ring, &page, &mut last_user);
        free(last_user)?;
        moved
    }

    fn isolate_and_move(
        &self,
        ring: &Arc<Ring>,
        page: &Arc<RingPage>,
        last_user: &mut Option<LastUser>,
    ) -> Result<(), Errno> {
        if !page.try_get() {
            return Err(Errno::Again); // freed meanwhile
        }
        let new = RingPage::new(page.index(), &self.witness);
        let migration = Migration {
            version: self.version,
            ring,
            old: page,
            new: &new,
        };
        let moved = migration.unmap_and_move(last_user);
        page.put();
        new.put();
        moved
    }
}

/// What the kernel leaves to a work queue. The caller holds no lock.
fn free(last_user: Option<LastUser>) -> Result<(), Errno> {
    match last_user {
        Some(last_user) => Ok(last_user.free_ioctx()?),
        None => Ok(()),
    }
}

/// A page on its way. The caller has a reference to both pages.
struct Migration<'a> {
    version: Version,
    ring: &'a Arc<Ring>,
    old: &'a Arc<RingPage>,
    new: &'a Arc<RingPage>,
}

impl Migration<'_> {
    /// The part of the memory management, around that of the file: `unmap_and_move`.
    fn unmap_and_move(&self, last_user: &mut Option<LastUser>) -> Result<(), Errno> {
        let Self { ring, old, new, .. } = self;
        let _old_lock = old.lock()?;
        let _new_lock = new.lock_new();
        if !old.has_mapping() {
            return Err(Errno::Again); // truncated meanwhile
        }
        let mapped = ring.begin_migration(old.index());
        new.set_mapping(true);
        ring.pause();
        let moved = self.migratepage(last_user);
        let (stays, goes) = match moved {
            Ok(()) => (new, old),
            Err(_) => (old, new),
        };
        goes.set_mapping(false);
        self.check_failure(moved);
        if mapped {
            ring.end_migration(stays);
        }
        moved
    }

    /// A migration that fails leaves the cache as it was.
    fn check_failure(&self, moved: Result<(), Errno>) {
        if moved.is_err() && is(self.ring.page(self.old.index()).as_ref(), self.new) {
            self.ring.report(Violation::FailedAfterMove);
        }
    }

    /// `aio_migratepage`.
    fn migratepage(&self, last_user: &mut Option<LastUser>) -> Result<(), Errno> {
        match self.version.migrate {
            Migrate::LooksTwice => {
                let private_data = self.ring.private_data();
                let context = private_data.context().ok_or(Errno::Invalid)?;
                self.look(&context)?;
                drop(private_data);
                self.move_and_look_again()
            }
            Migrate::WaitsForRingLock => {
                // Nothing keeps the context alive.
                let context = self.ring.private_data().context().ok_or(Errno::Invalid)?;
                let _ring_lock = context.ring_lock()?;
                self.look_twice(&context)
            }
            Migrate::TriesRingLock(get) => {
                let context = self.context_with_reference(get)?;
                let moved = match context.try_ring_lock() {
                    Ok(_ring_lock) => self.look_twice(&context).inspect_err(|errno| {
                        if *errno == Errno::Busy {
                            // The second look overwrites the pointer that is unlocked later.
                            self.ring.report(Violation::UnlockedThroughNull);
                        }
                    }),
                    Err(errno) => Err(errno),
                };
                *last_user = context.put();
                moved
            }
            Migrate::HoldsPrivateLock => {
                let private_data = self.ring.private_data();
                let context = private_data.context().ok_or(Errno::Invalid)?;
                let _ring_lock = context.try_ring_lock()?;
                self.move_and_switch(&context)
                // `ring_lock` is unlocked first, then `private_lock`.
            }
            Migrate::Section => {
                let context = self.context_with_reference(GetContext::UnlessZero)?;
                let section = context.migrations().write();
                let moved = self.move_and_switch(&context);
                match moved {
                    Ok(()) => drop(section),
                    Err(_) => section.cancel(), // nothing has changed
                }
                *last_user = context.put();
                moved
            }
        }
    }

    fn context_with_reference(&self, get: GetContext) -> Result<Arc<KioCtx>, Errno> {
        let private_data = self.ring.private_data();
        let context = private_data.context().ok_or(Errno::Invalid)?;
        match get {
            GetContext::Always => context.get(),
            GetContext::UnlessZero if context.try_get() => {}
            GetContext::UnlessZero => return Err(Errno::Invalid),
        }
        Ok(context)
    }

    /// Whether the context still uses the old page.
    fn still_current(&self, context: &KioCtx) -> Result<(), Errno> {
        let index = self.old.index();
        if index >= context.nr_pages() {
            return Err(Errno::Invalid);
        }
        match is(context.ring_page(index).load().as_ref(), self.old) {
            true => Ok(()),
            false => Err(Errno::Again),
        }
    }

    /// The first look of the versions that look twice.
    fn look(&self, context: &KioCtx) -> Result<(), Errno> {
        let _completion = context.completion_lock();
        self.still_current(context)
    }

    fn look_twice(&self, context: &KioCtx) -> Result<(), Errno> {
        let private_data = self.ring.private_data();
        self.look(context)?;
        drop(private_data);
        self.move_and_look_again()
    }

    /// The core of it until 2014. By the second look the context may have changed or gone, and the mapping
    /// has been moved already.
    fn move_and_look_again(&self) -> Result<(), Errno> {
        let Self { ring, old, new, .. } = self;
        new.get();
        if let Err(errno) = ring.move_mapping(old, new) {
            new.put();
            return Err(errno);
        }
        ring.pause();
        let switched = {
            let private_data = ring.private_data();
            match private_data.context() {
                None => Err(Errno::Busy),
                Some(context) => {
                    let _completion = context.completion_lock();
                    new.copy_from(old);
                    ring.pause();
                    self.still_current(&context)
                        .inspect(|()| self.switch(&context))
                }
            }
        };
        match switched {
            Ok(()) => old.put(),
            Err(_) => new.put(),
        }
        switched
    }

    /// The core of it since. The caller makes sure that the context stays, and that readers are kept out or
    /// will notice. Nothing fails after the move.
    fn move_and_switch(&self, context: &KioCtx) -> Result<(), Errno> {
        let Self { ring, old, new, .. } = self;
        self.still_current(context)?;
        new.get();
        if let Err(errno) = ring.move_mapping(old, new) {
            new.put();
            return Err(errno);
        }
        {
            let completion_lock = self.version.completion_lock;
            let _completion = completion_lock.then(|| context.completion_lock());
            new.copy_from(old);
            ring.pause();
            self.switch(context);
        }
        old.put();
        Ok(())
    }

    fn switch(&self, context: &KioCtx) {
        let new = Arc::clone(self.new);
        context.ring_page(self.old.index()).store(Some(new));
    }
}
