//! A context that was looked up, and how contexts end.

use std::sync::Arc;

use super::context::KioCtx;
use super::mm::Mm;
use super::page::RingPage;
use crate::aio::errno::Errno;

/// A reference to a context: what `lookup_ioctx` returns. Dropping it is `percpu_ref_put`.
#[derive(Debug)]
pub struct ContextRef {
    pub(super) mm: Arc<Mm>,
    pub(super) context: Arc<KioCtx>,
}

impl Mm {
    /// The context with this id, which is the address of its ring: `lookup_ioctx`.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if there is none.
    pub fn context(self: &Arc<Self>, id: u64) -> Result<ContextRef, Errno> {
        let context = self.lookup(id).ok_or(Errno::Invalid)?;
        Ok(ContextRef {
            mm: Arc::clone(self),
            context,
        })
    }

    /// The first word of the ring is the place of the context in the table.
    fn lookup(&self, address: u64) -> Option<Arc<KioCtx>> {
        let id = self.area(address)?.access(0, RingPage::id)?;
        let table = self.table();
        let context = table.get(id as usize)?.as_ref()?;
        let found = context.user_id() == address && context.try_get();
        found.then(|| Arc::clone(context))
    }

    /// Destroys a context: `io_destroy`. It is freed when its last user is gone.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if there is no such context, or another thread has just destroyed it.
    pub fn io_destroy(self: &Arc<Self>, id: u64) -> Result<(), Errno> {
        let context = self.context(id)?;
        self.kill_ioctx(&context.context)
    }

    /// The process exits: `exit_aio`.
    pub fn exit_aio(&self) {
        let all: Vec<_> = self.table().iter().flatten().cloned().collect();
        for context in all {
            // Another thread may have destroyed it meanwhile.
            let _ = self.kill_ioctx(&context);
        }
    }

    fn kill_ioctx(&self, context: &Arc<KioCtx>) -> Result<(), Errno> {
        let mut table = self.table();
        if !context.kill() {
            return Err(Errno::Invalid);
        }
        table[context.id() as usize] = None;
        drop(table);
        let unmapped = self.munmap(context.user_id());
        self.uncharge(context.max_reqs);
        put(context);
        Ok(unmapped?)
    }
}

impl Drop for Mm {
    fn drop(&mut self) {
        self.exit_aio();
    }
}

impl Drop for ContextRef {
    fn drop(&mut self) {
        put(&self.context);
    }
}

fn put(context: &Arc<KioCtx>) {
    if let Some(last) = context.put() {
        // A deadlock has been recorded; there is nobody to return it to.
        let _ = last.free_ioctx();
    }
}
