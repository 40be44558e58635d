//! What must hold for a process whenever no system call is under way.

mod snapshot;
#[cfg(test)]
mod tests;
mod violation;

pub use snapshot::{Page, Snapshot};
pub use violation::{Changed, Violation};

use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::areas::Areas;
use super::kioctx::KioCtx;
use super::mm::Mm;
use super::ring_file::{PAGE_SIZE, RingFile};
use crate::locks::lock;

/// A ring that has pages mapped: where they are, in order.
struct Pages {
    file: Arc<RingFile>,
    mapped: Vec<u64>,
}

impl Mm {
    /// Checks every invariant at a quiet moment: no system call of the process is under way.
    ///
    /// # Errors
    ///
    /// All violations.
    pub fn check(&self) -> Result<(), Vec<Violation>> {
        let mut wrong = self.counted();
        let rings = self.rings();
        let contexts: Vec<_> = lock(&self.table).iter().cloned().collect();

        for ctx in &contexts {
            let pages = rings.get(&ctx.file.inode);
            self.check_context(ctx, pages.map_or(&[], |pages| &pages.mapped), &mut wrong);
        }
        for Pages { file, mapped } in rings.values() {
            self.check_ring(file, mapped, &mut wrong);
        }
        self.check_ids(&mut wrong);

        let alive = contexts.iter().filter(|ctx| !ctx.is_dead()).count() as u64;
        let leaked = self.census.contexts.get().abs_diff(alive);
        if leaked != 0 {
            wrong.push(Violation::Leaked { contexts: leaked });
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong),
        }
    }

    /// What has gone wrong at some time.
    fn counted(&self) -> Vec<Violation> {
        let census = &self.census;
        let mut wrong = Vec::new();
        let mut tell = |times: u64, violation: fn(u64) -> Violation| {
            if times != 0 {
                wrong.push(violation(times));
            }
        };
        tell(census.innocents_unmapped.get(), |pages| {
            Violation::InnocentUnmapped { pages }
        });
        tell(census.freed_contexts_touched.get(), |times| {
            Violation::FreedContextTouched { times }
        });
        tell(census.leftovers_touched.get(), |times| {
            Violation::LeftoverTouched { times }
        });
        tell(census.null_tables.get(), |times| Violation::NullTable {
            times,
        });
        wrong
    }

    /// The rings of this process that have pages mapped.
    fn rings(&self) -> BTreeMap<u64, Pages> {
        let mut rings = BTreeMap::new();
        for (page, mapped) in lock(&self.page_table).iter() {
            let ours = mapped.ring().filter(|file| file.is_of(&self.census));
            let Some(file) = ours else { continue };
            let entry = rings.entry(file.inode).or_insert_with(|| Pages {
                file: Arc::clone(file),
                mapped: Vec::new(),
            });
            entry.mapped.push(page);
        }
        rings
    }

    fn check_context(&self, ctx: &Arc<KioCtx>, mapped: &[u64], wrong: &mut Vec<Violation>) {
        let ring = ctx.file.inode;
        if ctx.is_dead() {
            wrong.push(Violation::DeadInTable { ring });
            return;
        }
        let at = ctx.file.history.moved_to.load(Relaxed);
        let (user_id, mmap_base, users) = (ctx.user_id(), ctx.mmap_base(), ctx.users());
        if user_id != at {
            wrong.push(Violation::UserId { ring, user_id, at });
        }
        if mmap_base != at {
            wrong.push(Violation::MmapBase {
                ring,
                mmap_base,
                at,
            });
        }
        if users != 1 {
            wrong.push(Violation::Users { ring, users });
        }
        if !ctx.file.intact() {
            return;
        }
        let first = at / PAGE_SIZE;
        let whole: Vec<u64> = (first..first + ctx.file.pages).collect();
        let areas = lock(&self.page_table).areas_of(&ctx.file);
        if areas != 1 || mapped != whole {
            wrong.push(Violation::Areas { ring, areas, at });
        } else if !self.peek(at).is_some_and(|found| Arc::ptr_eq(&found, ctx)) {
            wrong.push(Violation::NewIdUnknown { ring, at });
        }
    }

    fn check_ring(&self, file: &Arc<RingFile>, mapped: &[u64], wrong: &mut Vec<Violation>) {
        let ring = file.inode;
        if lock(&self.table).of(file).is_some() {
            return;
        }
        if !file.history.freed.load(Relaxed) {
            wrong.push(Violation::NotInTable { ring });
        } else if file.intact() {
            let at = mapped[0] * PAGE_SIZE;
            wrong.push(Violation::RingLeft { ring, at });
        }
    }

    /// An address is an id only if its ring lies there.
    fn check_ids(&self, wrong: &mut Vec<Violation>) {
        let pages: Vec<u64> = lock(&self.page_table)
            .iter()
            .map(|(page, _)| page)
            .collect();
        for id in pages.into_iter().map(|page| page * PAGE_SIZE) {
            let Some(found) = self.peek(id) else { continue };
            if found.file.history.moved_to.load(Relaxed) != id {
                let ring = found.file.inode;
                wrong.push(Violation::OldIdAnswers { ring, id });
            }
        }
    }
}

impl Areas {
    /// In how many areas a ring is.
    fn areas_of(&self, file: &Arc<RingFile>) -> usize {
        let is_ours = |piece: &Range<u64>| {
            let mapped = self.get(piece.start).and_then(|mapped| mapped.ring());
            mapped.is_some_and(|ring| Arc::ptr_eq(ring, file))
        };
        self.pieces(0..u64::MAX)
            .iter()
            .filter(|piece| is_ours(piece))
            .count()
    }
}
