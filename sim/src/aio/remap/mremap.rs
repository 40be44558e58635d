//! `mremap`, rule by rule.

use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;

use super::areas::Mapped;
use super::mm::{Mm, page_align};
use super::ring_file::PAGE_SIZE;
use crate::aio::errno::Errno;
use crate::locks::{lock, write};

/// The kernel may choose another place.
pub const MREMAP_MAYMOVE: u32 = 1;
/// The new place is given, and whatever is there is unmapped.
pub const MREMAP_FIXED: u32 = 2;
/// The old place stays mapped. Refused for rings, and not modelled for other memory.
pub const MREMAP_DONTUNMAP: u32 = 4;

/// Where user space ends.
const TASK_SIZE: u64 = 0x7fff_ffff_f000;

/// What one call asks for. Lengths are whole pages.
#[derive(Clone, Copy, Debug)]
struct Call {
    old: u64,
    old_length: u64,
    new_length: u64,
    flags: u32,
    new: u64,
}

impl Call {
    fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Refuses what is wrong whatever is mapped.
    fn check(&self) -> Result<(), Errno> {
        let all = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
        if self.flags & !all != 0 || self.old % PAGE_SIZE != 0 || self.new_length == 0 {
            return Err(Errno::Invalid);
        }
        if !self.has(MREMAP_FIXED | MREMAP_DONTUNMAP) {
            return Ok(());
        }
        let beyond_end = self.new_length > TASK_SIZE || self.new > TASK_SIZE - self.new_length;
        let overlap = self.old.saturating_add(self.old_length) > self.new
            && self.new.saturating_add(self.new_length) > self.old;
        let keeps_another_length = self.has(MREMAP_DONTUNMAP) && self.old_length != self.new_length;
        let unaligned = self.new % PAGE_SIZE != 0;
        let must_stay = !self.has(MREMAP_MAYMOVE);
        match must_stay || unaligned || beyond_end || overlap || keeps_another_length {
            true => Err(Errno::Invalid),
            false => Ok(()),
        }
    }

    /// Both lengths are the same, and the new place is given.
    fn only_moves(&self) -> bool {
        self.has(MREMAP_FIXED) && !self.has(MREMAP_DONTUNMAP) && self.old_length == self.new_length
    }
}

impl Mm {
    /// Moves, shrinks or refuses to grow what is mapped at `old`; returns where it is then.
    ///
    /// No area grows here: rings refuse to, and other memory is never asked to. So `new` has a meaning with
    /// [`MREMAP_FIXED`] only, and without it nothing moves.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the arguments are invalid or the hook refuses, `EFAULT` if what is to be moved is not
    /// there. Nothing has changed then, but for the target of `MREMAP_FIXED` (its mapping may be gone) and
    /// for areas that have moved before a later one was refused.
    pub fn mremap(
        &self,
        old: u64,
        old_length: u64,
        new_length: u64,
        flags: u32,
        new: u64,
    ) -> Result<u64, Errno> {
        let _section = self.section();
        let call = Call {
            old,
            old_length: page_align(old_length),
            new_length: page_align(new_length),
            flags,
            new,
        };
        call.check()?;
        let _mmap_sem = write(&self.mmap_sem);
        if call.only_moves() && self.rules.moves_several_areas {
            self.move_areas(&call)
        } else {
            self.move_or_resize(&call)
        }
    }

    /// Every area in the range, each with the holes before it. An error ends it: what has moved stays
    /// moved.
    fn move_areas(&self, call: &Call) -> Result<u64, Errno> {
        let range = range(call.old, call.old_length);
        let pieces = lock(&self.page_table).pieces(range.clone());
        if pieces.first().map(|first| first.start) != Some(range.start) {
            return Err(Errno::Fault);
        }
        for piece in &pieces {
            let to = call.new / PAGE_SIZE + (piece.start - range.start);
            self.move_to(piece.clone(), to)?;
        }
        if !self.rules.steps.last_area_has_the_id {
            self.tell_again(call.new);
        }
        Ok(call.new)
    }

    /// One area. It is shrunk where it is, or the part that stays is moved to a fixed place.
    fn move_or_resize(&self, call: &Call) -> Result<u64, Errno> {
        if self.mapped(call.old, |_, _| ()).is_none() {
            return Err(Errno::Fault);
        }
        let fixed = call.has(MREMAP_FIXED);
        let shrinks = call.new_length < call.old_length;
        let target = range(call.new, call.new_length);
        let tail = range(call.old, call.old_length);
        let tail = range(call.old, call.new_length).end..tail.end;
        if fixed && !self.rules.refuses_before_unmapping {
            self.unmap(target.clone());
            if shrinks {
                self.unmap(tail.clone());
            }
        }
        let stays = self.check_area(call)?;
        if !fixed {
            if shrinks {
                self.unmap(tail);
            }
            return Ok(call.old);
        }
        if shrinks {
            self.unmap(target.clone());
            self.unmap(tail);
        }
        self.move_to(stays, target.start)?;
        Ok(call.new)
    }

    /// The part of the area that stays, unless the area refuses the call.
    fn check_area(&self, call: &Call) -> Result<Range<u64>, Errno> {
        let stays = range(call.old, call.new_length.min(call.old_length));
        let fits = stays.end <= lock(&self.page_table).area_end(stays.start);
        let same = call.old_length == call.new_length;
        if call.has(MREMAP_DONTUNMAP) {
            return Err(Errno::Invalid);
        }
        if call.new_length > call.old_length {
            return Err(Errno::Fault);
        }
        let matters = call.has(MREMAP_FIXED) || (same && self.rules.checks_same_size);
        match fits || !matters {
            true => Ok(stays),
            false => Err(Errno::Fault),
        }
    }

    /// Moves a piece of one area: the ptes, then the hook, and back again if that refuses.
    fn move_to(&self, piece: Range<u64>, to: u64) -> Result<(), Errno> {
        let pages = piece.end - piece.start;
        let target = to..to + pages;
        let ring = self.mapped(piece.start * PAGE_SIZE, |mapped, _| mapped.ring().cloned());
        let Some(file) = ring.flatten() else {
            self.unmap(target);
            self.move_ptes(&piece, to);
            return Ok(());
        };
        if !self.rules.steps.target_goes_first && self.would_refuse(&file, pages) {
            return Err(Errno::Invalid);
        }
        self.unmap(target.clone());
        let ticket = self.before_move(&file, pages)?;
        let ptes = self.move_ptes(&piece, to);
        if let Err(refused) = self.after_move(&file, ticket, pages, to * PAGE_SIZE) {
            let mut page_table = lock(&self.page_table);
            page_table.lift(target);
            page_table.put_back(piece.start, ptes);
            return Err(refused);
        }
        lock(&self.page_table).split_at(piece.end);
        if file.is_of(&self.census) {
            file.history.moved_to.store(to * PAGE_SIZE, Relaxed);
            if pages != file.pages {
                file.spoil();
            }
        }
        Ok(())
    }

    /// From here on an access finds the piece at its new place only. Returns what was at the old one.
    fn move_ptes(&self, piece: &Range<u64>, to: u64) -> Vec<Mapped> {
        let mut page_table = lock(&self.page_table);
        let ptes = page_table.lift(piece.clone());
        page_table.put(to, ptes.clone());
        ptes
    }
}

/// The pages of a range. It begins with a page and ends with one.
fn range(at: u64, length: u64) -> Range<u64> {
    at / PAGE_SIZE..(at / PAGE_SIZE).saturating_add(length / PAGE_SIZE)
}
