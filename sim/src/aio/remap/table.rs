//! The table of contexts of a process, by index.

use std::sync::Arc;

use super::kioctx::KioCtx;
use super::ring_file::RingFile;
use super::version::Rules;
use crate::aio::errno::Errno;

/// `mm->ioctx_table` and what the contexts count together. `ioctx_lock` protects it; a lookup reads one
/// entry of it, which takes no lock in the kernel.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// There is none until the first context needs it.
    entries: Option<Vec<Option<Arc<KioCtx>>>>,
    requests: u64,
}

impl Table {
    pub(super) fn is_there(&self) -> bool {
        self.entries.is_some()
    }

    /// Counts the requests of a new context.
    pub(super) fn reserve(&mut self, requests: u32, rules: &Rules) -> Result<(), Errno> {
        let sum = self.requests + u64::from(requests);
        if sum > rules.aio_max_nr {
            return Err(Errno::Again);
        }
        self.requests = sum;
        Ok(())
    }

    /// Puts a new context, made for the index, into the table.
    pub(super) fn insert(
        &mut self,
        rules: &Rules,
        make: impl FnOnce(u32) -> Arc<KioCtx>,
    ) -> Arc<KioCtx> {
        let entries = self.entries.get_or_insert_default();
        let free = match rules.steps.lowest_index {
            true => entries.iter().position(Option::is_none),
            false => None,
        };
        let index = free.unwrap_or_else(|| {
            entries.push(None);
            entries.len() - 1
        });
        let ctx = make(index as u32);
        entries[index] = Some(Arc::clone(&ctx));
        ctx
    }

    pub(super) fn remove(&mut self, ctx: &KioCtx) {
        if let Some(entries) = &mut self.entries {
            entries[ctx.index as usize] = None;
            self.requests -= u64::from(ctx.requests);
        }
    }

    pub(super) fn get(&self, index: u32) -> Option<&Arc<KioCtx>> {
        self.entries.as_ref()?.get(index as usize)?.as_ref()
    }

    /// The context with that ring.
    pub(super) fn of(&self, file: &Arc<RingFile>) -> Option<&Arc<KioCtx>> {
        self.iter().find(|ctx| Arc::ptr_eq(&ctx.file, file))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<KioCtx>> {
        self.entries.iter().flatten().flatten()
    }
}
