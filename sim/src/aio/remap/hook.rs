//! What a context is told when its ring moves, version by version.

use std::sync::Arc;

use seqschedlock::Stamp;

use super::error::Errno;
use super::kioctx::KioCtx;
use super::locks::lock;
use super::mm::Mm;
use super::ring_file::RingFile;
use super::version::Hook;

/// What a mover under [`Hook::Commits`] has in hand while it moves.
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
            return Err(Errno::Inval);
        }
        let ctx = file.private_data.get().and_then(|ctx| ctx.upgrade());
        let ctx = ctx
            .filter(|_| file.is_of(&self.census))
            .ok_or(Errno::Inval)?;
        // A section is one of a destroyer, and it is no use to wait for its end.
        let stamp = ctx.lock.read_begin().map_err(|_| Errno::Inval)?;
        match ctx.is_dead() {
            true => Err(Errno::Inval),
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
        if let Some(Ticket { ctx, stamp }) = ticket {
            let from = ctx.user_id();
            ctx.set_place(to, &self.rules.steps);
            if self.rules.steps.mover_commits && ctx.lock.read_commit(stamp).is_err() {
                // `io_destroy` reads `mmap_base` with `mmap_sem` held, so it never sees this one.
                ctx.set_place(from, &self.rules.steps);
                return Err(Errno::Inval);
            }
            return Ok(());
        }
        if self.rules.hook == Hook::None {
            return Ok(());
        }
        let table = lock(&self.table);
        if !table.is_there()
            && self.rules.hook
                != (Hook::Answers {
                    asks_for_table: true,
                })
        {
            // The kernel dies of it, with `mmap_sem` held. Here the move stands, and is counted.
            self.census.null_tables.add(1);
            return Ok(());
        }
        let refuses = self.refuses(table.of(file), file, pages);
        match table.of(file) {
            _ if refuses => Err(Errno::Inval),
            Some(ctx) => {
                ctx.set_place(to, &self.rules.steps);
                Ok(())
            }
            None => Ok(()),
        }
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
