//! Many pages, few locks: the stripes of `Gate` and `Closed`.

use core::ops::Range;

use crossbeam_utils::CachePadded;
use seqschedlock::{GatedSeqSchedLock, Park, Stamp, WriteGuard};

use crate::sync::STRIPES;

/// A fixed number of [`GatedSeqSchedLock`]s. Each block of neighbouring pages belongs to one of them, the next
/// block to the next.
///
/// Blocks should be as wide as the ranges that are invalidated. If they are narrower, an invalidation
/// begins sections on many stripes and conflicts with unrelated faults on each. If they are wider, it
/// delays faults on neighbouring pages.
#[derive(Debug)]
pub(super) struct Stripes {
    block: usize,
    locks: Box<[CachePadded<GatedSeqSchedLock<Park>>]>,
}

/// The write sections of an invalidation, one for each of its stripes.
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

    pub(super) fn of(&self, page: usize) -> &GatedSeqSchedLock<Park> {
        &self.locks[page / self.block % STRIPES]
    }

    /// The stripes of a range, each once, in ascending order.
    fn over(&self, pages: &Range<usize>) -> impl Iterator<Item = &GatedSeqSchedLock<Park>> {
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
    /// In ascending order, as [`GatedSeqSchedLock`] requires. A fault that keeps the gate of one stripe waits for a
    /// section there, and that section may still have to pass later gates, but no earlier ones.
    pub(super) fn write(&self, pages: &Range<usize>) -> Sections<'_> {
        Sections {
            _running: self.over(pages).map(GatedSeqSchedLock::write).collect(),
        }
    }

    /// Calls `look` until no section ran on any stripe of the range meanwhile.
    ///
    /// It never keeps a gate, no matter how often it loses: `look` may fault, and the handler needs the gate.
    pub(super) fn look<R>(&self, pages: &Range<usize>, mut look: impl FnMut() -> R) -> R {
        loop {
            let stamps: Vec<(&GatedSeqSchedLock<Park>, Stamp)> = self
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
