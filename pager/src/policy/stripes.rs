//! Many pages, few locks: what our two policies share.

use core::ops::Range;

use crossbeam_utils::CachePadded;
use seqschedlock::{Park, Stamp, WriteGuard};

use crate::gated_lock::GatedLock;
use crate::sync::STRIPES;

/// A fixed number of [`GatedLock`]s. A block of neighbouring pages goes by one of them, the next block by the
/// next.
///
/// Blocks are best as wide as the ranges that are invalidated. With narrower ones a section begins on many
/// stripes, and meets faults that have nothing to do with it on each; with wider ones it keeps
/// neighbours waiting.
#[derive(Debug)]
pub(super) struct Stripes {
    block: usize,
    locks: Box<[CachePadded<GatedLock>]>,
}

/// The write sections of an invalidation, one for each stripe that it touches.
#[derive(Debug)]
pub struct Sections<'a> {
    _running: Vec<WriteGuard<'a, Park>>,
}

impl Stripes {
    pub(super) fn new(block: usize) -> Self {
        Self {
            block,
            locks: (0..STRIPES).map(|_| CachePadded::default()).collect(),
        }
    }

    pub(super) fn of(&self, page: usize) -> &GatedLock {
        &self.locks[page / self.block % STRIPES]
    }

    /// Those of a range, each once and in the order of their numbers.
    fn over(&self, pages: &Range<usize>) -> impl Iterator<Item = &GatedLock> {
        let first = pages.start / self.block;
        let blocks = match pages.is_empty() {
            true => 0,
            false => (pages.end - 1) / self.block - first + 1,
        };
        self.locks
            .iter()
            .enumerate()
            .filter(move |(stripe, _)| (stripe + STRIPES - first % STRIPES) % STRIPES < blocks)
            .map(|(_, lock)| &**lock)
    }

    /// Begins a section on each stripe of the range.
    ///
    /// In order, as the gates ask for: a fault that keeps the gate of one stripe waits for a section there
    /// that may have yet to pass the gates of later stripes, never of earlier ones.
    pub(super) fn write(&self, pages: &Range<usize>) -> Sections<'_> {
        Sections {
            _running: self.over(pages).map(GatedLock::write).collect(),
        }
    }

    /// Looks until no section ran on any stripe of the range.
    ///
    /// No gate is kept, however often it loses: what `look` touches may fault, and the handler needs the gate.
    pub(super) fn look<R>(&self, pages: &Range<usize>, mut look: impl FnMut() -> R) -> R {
        loop {
            let stamps: Vec<(&GatedLock, Stamp)> = self
                .over(pages)
                .map(|lock| (lock, lock.read_begin_wait()))
                .collect();
            let found = look();
            if stamps
                .iter()
                .all(|(lock, stamp)| lock.read_end(*stamp).is_ok())
            {
                return found;
            }
        }
    }
}
