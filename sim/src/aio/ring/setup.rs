//! How a context comes to be: `io_setup`.

use std::sync::Arc;

use super::context::KioCtx;
use super::file::RingFile;
use super::mm::Mm;
use super::page::NO_ID;
use super::version::Setup;
use crate::aio::errno::Errno;
use crate::aio::locks::SleepingGuard;

/// More events than this are refused.
const MOST_EVENTS: u32 = 0x40_0000;

/// What can go wrong in a setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No memory for the file.
    File,
    /// No memory for this page of the ring.
    Page(usize),
    /// No room for the ring in the address space.
    Map,
    /// The process is killed while it waits for `mmap_sem`.
    Killed,
}

impl Mm {
    /// Creates a context for so many events and maps its ring: `io_setup`. Returns the id, which is the
    /// address of the ring.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] for no events or too many, [`Errno::Again`] if all contexts together would exceed
    /// the limit.
    pub fn io_setup(&self, nr_events: u32) -> Result<u64, Errno> {
        self.io_setup_in_trouble(nr_events, None)
    }

    /// The same, and it runs into trouble on the way.
    ///
    /// # Errors
    ///
    /// Those of [`io_setup`](Self::io_setup), and that of the trouble: [`Errno::NoMemory`], or
    /// [`Errno::Interrupted`] if the process is killed.
    pub fn io_setup_in_trouble(
        &self,
        nr_events: u32,
        trouble: Option<Trouble>,
    ) -> Result<u64, Errno> {
        if nr_events == 0 || nr_events > MOST_EVENTS {
            return Err(Errno::Invalid);
        }
        let context = KioCtx::new(nr_events, self.version, &self.witness);
        let made = self.ioctx_alloc(&context, trouble);
        if made.is_err() {
            context.free();
        }
        made
    }

    fn ioctx_alloc(&self, context: &Arc<KioCtx>, trouble: Option<Trouble>) -> Result<u64, Errno> {
        let version = self.version;
        let mut ring_lock = match version.setup {
            Setup::InHalves | Setup::Locked => Some(context.ring_lock()?),
            Setup::Unlocked | Setup::FileLast => None,
        };
        if let Err(errno) = self.setup_ring(context, trouble) {
            if !version.failure_unlocks {
                core::mem::forget(ring_lock);
            }
            return Err(errno);
        }
        if version.setup == Setup::InHalves {
            ring_lock = None;
        }
        if let Err(errno) = self.charge(context.max_reqs) {
            self.undo(context, ring_lock)?;
            return Err(errno);
        }
        self.add_table(context)?;
        if version.setup == Setup::FileLast {
            let file = context.file().expect("the ring has been set up");
            file.set_private_data(Some(Arc::clone(context)));
        }
        drop(ring_lock);
        Ok(context.user_id())
    }

    /// `aio_setup_ring`. If it fails, it removes what it has built.
    fn setup_ring(&self, context: &Arc<KioCtx>, trouble: Option<Trouble>) -> Result<(), Errno> {
        if trouble == Some(Trouble::File) {
            return Err(Errno::NoMemory);
        }
        let pages = context.pages_wanted();
        let file = RingFile::new(pages, &self.witness);
        if self.version.setup != Setup::FileLast {
            file.set_private_data(Some(Arc::clone(context)));
        }
        context.set_file(&file);
        self.lru_add(&file);

        let memory = (0..pages).take_while(|index| trouble != Some(Trouble::Page(*index)));
        let mut had = 0;
        for index in memory {
            // The reference of the caller becomes that of the context.
            context
                .ring_page(index)
                .store(Some(file.create_page(index)));
            had += 1;
        }
        context.set_nr_pages(had);
        let mapped = match trouble {
            _ if had < pages => Err(Errno::NoMemory),
            Some(Trouble::Killed) => Err(Errno::Interrupted),
            Some(Trouble::Map) => Err(Errno::NoMemory),
            _ => self.mmap(&file).map_err(Errno::from),
        };
        match mapped {
            Ok(address) => {
                context.set_user_id(address);
                let first = context.page(0)?;
                first.set_id(NO_ID);
                Ok(())
            }
            Err(errno) => {
                context.free_ring()?;
                Err(errno)
            }
        }
    }

    /// `ioctx_add_table`: the context can be looked up from now on.
    fn add_table(&self, context: &Arc<KioCtx>) -> Result<(), Errno> {
        let mut table = self.table();
        let id = match table.iter().position(Option::is_none) {
            Some(free) => free,
            None => {
                table.push(None);
                table.len() - 1
            }
        };
        context.set_id(id as u32);
        table[id] = Some(Arc::clone(context));
        drop(table);

        let in_halves = self.version.setup == Setup::InHalves;
        let _completion = in_halves.then(|| context.completion_lock());
        let first = context.page(0)?;
        context.pause();
        first.set_id(id as u32);
        Ok(())
    }

    /// Removes the ring again: the label `err_ctx`.
    fn undo(
        &self,
        context: &Arc<KioCtx>,
        ring_lock: Option<SleepingGuard<'_>>,
    ) -> Result<(), Errno> {
        context.kill();
        if self.version.failure_unmaps {
            self.munmap(context.user_id())?;
        }
        context.free_ring()?;
        drop(ring_lock);
        Ok(())
    }
}
