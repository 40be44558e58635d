//! `io_destroy`, version by version.

use core::ops::Range;

use super::kioctx::KioCtx;
use super::mm::Mm;
use super::ring_file::PAGE_SIZE;
use super::version::Hook;
use crate::aio::errno::Errno;
use crate::locks::{lock, write};

impl Mm {
    /// Destroys a context and unmaps its ring: as many bytes from `mmap_base` on as the ring had once.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is no such context, or if another thread is destroying it.
    pub fn io_destroy(&self, id: u64) -> Result<(), Errno> {
        let _section = self.section();
        let user = self.lookup(id).ok_or(Errno::Invalid)?;
        self.kill(&user.ctx)
    }

    /// `kill_ioctx`
    fn kill(&self, ctx: &KioCtx) -> Result<(), Errno> {
        match self.rules.hook {
            Hook::None | Hook::Tells => {
                self.mark(ctx)?;
                lock(&self.table).remove(ctx);
                self.unmap_ring(ctx);
            }
            Hook::Answers { .. } => {
                {
                    let mut table = lock(&self.table);
                    self.mark(ctx)?;
                    table.remove(ctx);
                }
                self.unmap_ring(ctx);
            }
            Hook::Commits => {
                let section = ctx.lock.write();
                if let Err(dead) = self.mark(ctx) {
                    section.cancel();
                    return Err(dead);
                }
                lock(&self.table).remove(ctx);
                self.unmap_ring(ctx);
            }
        }
        ctx.cancel_all();
        ctx.put();
        Ok(())
    }

    fn mark(&self, ctx: &KioCtx) -> Result<(), Errno> {
        match ctx.die(&self.rules.steps) {
            true => Ok(()),
            false => Err(Errno::Invalid),
        }
    }

    /// Unmaps whatever is where the ring is believed to be.
    fn unmap_ring(&self, ctx: &KioCtx) {
        let early = self.rules.hook != Hook::Commits || !self.rules.steps.base_is_read_in_mmap_sem;
        let base = early.then(|| ctx.mmap_base());
        let _mmap_sem = write(&self.mmap_sem);
        let base = base.unwrap_or_else(|| ctx.mmap_base()) / PAGE_SIZE;
        let range = base..base + ctx.mmap_size / PAGE_SIZE;
        match self.rules.steps.destroy_unmaps_by_size {
            true => self.unmap_for(ctx, range),
            false => self.unmap_ring_only(ctx, range),
        }
    }

    /// Unmaps on behalf of a context, and counts what was not of its ring. If user space has torn the ring
    /// apart, the loss is its own fault and does not count.
    fn unmap_for(&self, ctx: &KioCtx, range: Range<u64>) {
        let unmapped = lock(&self.page_table).unmap(range);
        for (_, mapped) in &unmapped {
            match mapped.ring() {
                Some(file) if file.inode == ctx.file.inode => continue,
                Some(file) => file.spoil(),
                None => {}
            }
            if ctx.file.intact() {
                self.census.innocents_unmapped.add(1);
            }
        }
    }

    fn unmap_ring_only(&self, ctx: &KioCtx, range: Range<u64>) {
        let mut page_table = lock(&self.page_table);
        for page in range {
            let is_ours = page_table
                .get(page)
                .and_then(|mapped| mapped.ring())
                .is_some_and(|file| file.inode == ctx.file.inode);
            if is_ours {
                page_table.unmap(page..page + 1);
            }
        }
    }

    /// `exit_aio`: all of them, without unmapping anything.
    pub(super) fn kill_all(&self) {
        let mut table = lock(&self.table);
        let all: Vec<_> = table.iter().cloned().collect();
        for ctx in all {
            if ctx.die(&self.rules.steps) {
                table.remove(&ctx);
                ctx.cancel_all();
                ctx.put();
            }
        }
    }
}
