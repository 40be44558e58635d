//! How a context is freed: `free_ioctx`, `aio_free_ring`, `put_aio_ring_file`.

use super::context::{KioCtx, LastUser};
use super::version::Teardown;
use super::violation::Violation;
use crate::aio::lockdep::Deadlock;

impl LastUser {
    /// Frees the ring and the context.
    pub(super) fn free_ioctx(self) -> Result<(), Deadlock> {
        let Self(context) = self;
        if !context.begin_teardown() {
            context.report(Violation::ContextPutTwice);
            return Ok(());
        }
        let freed = context.free_ring();
        context.free();
        freed
    }
}

impl KioCtx {
    /// Puts the pages and the file.
    pub(super) fn free_ring(&self) -> Result<(), Deadlock> {
        match self.version.teardown {
            Teardown::FileFirst => {
                self.put_ring_file()?;
                self.put_ring_pages();
                Ok(())
            }
            Teardown::PagesFirst => {
                self.put_ring_pages();
                self.put_ring_file()
            }
            Teardown::PagesFirstLocked => {
                let completion = self.completion_lock();
                self.put_ring_pages();
                drop(completion);
                self.put_ring_file()
            }
        }
    }

    fn put_ring_pages(&self) {
        for index in 0..self.nr_pages() {
            let pointer = self.ring_page(index);
            if let Some(page) = pointer.load() {
                self.pause();
                pointer.store(None);
                page.put();
            }
        }
    }

    fn put_ring_file(&self) -> Result<(), Deadlock> {
        let Some(file) = self.file() else {
            return Ok(()); // setup failed before there was one
        };
        file.truncate(self.version.page_lock)?;
        file.set_private_data(None);
        Ok(())
    }
}
