//! What a context is told when its ring moves, version by version.

use std::sync::Arc;

use seqschedlock::Stamp;

use super::kioctx::KioCtx;
use super::mm::Mm;
use super::ring_file::RingFile;
use super::version::Hook;
use crate::aio::errno::Errno;
use crate::locks::lock;

/// What a mover under [`Hook::Commits`] holds while it moves.
#[derive(Debug)]
pub(super) struct Ticket {
    ctx: Arc<KioCtx>,
    stamp: Stamp,
}

impl Mm {
    /// With `mmap_sem` held and before any pte is moved.
    pub(super) fn before_move(
        &self,
        file: &Arc<RingFile>,
        pages: u64,
    ) -> Result<Option<Ticket>, Errno> {
        if self.rules.hook != Hook::Commits {
            return Ok(None);
        }
        if self.rules.refuses_part && pages != file.pages {
            return Err(Errno::Invalid);
        }
        let ctx = file.private_data.get().and_then(|ctx| ctx.upgrade());
        let ctx = ctx
            .filter(|_| file.is_of(&self.census))
            .ok_or(Errno::Invalid)?;
        // Only a destroyer has a section, so there is nothing to wait for.
        let stamp = ctx.lock.read_begin().map_err(|_| Errno::Invalid)?;
        match ctx.is_dead() {
            true => Err(Errno::Invalid),
            false => Ok(Some(Ticket { ctx, stamp })),
        }
    }

    /// With `mmap_sem` held and the ptes moved to `to`.
    pub(super) fn after_move(
        &self,
        file: &Arc<RingFile>,
        ticket: Option<Ticket>,
        pages: u64,
        to: u64,
    ) -> Result<(), Errno> {
        if let Some(ticket) = ticket {
            return self.commit(&ticket, to);
        }
        match self.rules.hook {
            Hook::None | Hook::Commits => Ok(()),
            Hook::Tells | Hook::Answers { .. } => self.aio_ring_mremap(file, pages, to),
        }
    }

    /// Says where the ring is, then checks that nobody has begun to destroy it; otherwise takes it back.
    fn commit(&self, Ticket { ctx, stamp }: &Ticket, to: u64) -> Result<(), Errno> {
        let from = ctx.user_id();
        ctx.set_place(to, &self.rules.steps);
        if self.rules.steps.mover_commits && ctx.lock.read_commit(*stamp).is_err() {
            // `io_destroy` has not seen it: it reads `mmap_base` with `mmap_sem` held.
            ctx.set_place(from, &self.rules.steps);
            return Err(Errno::Invalid);
        }
        Ok(())
    }

    /// The hook of the kernel.
    fn aio_ring_mremap(&self, file: &Arc<RingFile>, pages: u64, to: u64) -> Result<(), Errno> {
        let table = lock(&self.table);
        let asks_for_table = Hook::Answers {
            asks_for_table: true,
        };
        if !table.is_there() && self.rules.hook != asks_for_table {
            // This kills the kernel, with `mmap_sem` held. Here the move stands, and is counted.
            self.census.null_tables.add(1);
            return Ok(());
        }
        let ctx = table.of(file);
        if self.refuses(ctx, file, pages) {
            return Err(Errno::Invalid);
        }
        if let Some(ctx) = ctx {
            ctx.set_place(to, &self.rules.steps);
        }
        Ok(())
    }

    /// Whether the hook refuses to let a ring move whose context in the table is `ctx`.
    fn refuses(&self, ctx: Option<&Arc<KioCtx>>, file: &RingFile, pages: u64) -> bool {
        let answers = matches!(self.rules.hook, Hook::Answers { .. });
        let part = self.rules.refuses_part && pages != file.pages;
        answers && (part || ctx.is_none_or(|ctx| ctx.is_dead()))
    }

    /// The same before anything has moved. No kernel asks then.
    pub(super) fn would_refuse(&self, file: &Arc<RingFile>, pages: u64) -> bool {
        self.refuses(lock(&self.table).of(file), file, pages)
    }

    /// The context of the ring at `to`, if there is one, believes that its ring was last moved there.
    pub(super) fn tell_again(&self, to: u64) {
        let ring = self.mapped(to, |mapped, _| mapped.ring().cloned());
        if let Some(file) = ring.flatten() {
            if let Some(ctx) = lock(&self.table).of(&file) {
                ctx.set_place(to, &self.rules.steps);
            }
        }
    }
}
