use core::ops::Range;

use super::stripes::{Sections, Stripes};
use super::{Fenced, Policy};
use crate::fault::Fault;
use crate::memory::Memory;
use crate::sync::PATIENCE;

/// This crate, without a gate in the common case: publish the page closed, commit, then open it.
///
/// The handler puts the page behind the mapping, into the page cache of the mapped file, where no thread
/// reads it. Once `read_commit` is `Ok`, every later section finds the page there and takes it out.
/// `UFFDIO_CONTINUE` then maps a valid page, or finds none. It maps whichever page is there *at that
/// moment*. Two handlers on one page would open each other's uncommitted pages, so this policy needs
/// [`Flights`](crate::Flights).
///
/// Sections begin in a gate here, too. It serves faults that have lost too often, and faults whose load has
/// failed.
#[derive(Debug)]
pub struct Closed {
    stripes: Stripes,
}

impl Policy for Closed {
    const NAME: &'static str = "Closed";
    const BEHIND: bool = true;

    type Section<'a> = Sections<'a>;

    fn new(_pages: usize, block: usize) -> Self {
        Self {
            stripes: Stripes::new(block),
        }
    }

    fn serve<M: Memory>(&self, fault: &mut Fault<'_, M>) {
        let lock = self.stripes.of(fault.page());
        for _ in 0..PATIENCE {
            let stamp = lock.read_begin_wait();
            fault.load();
            fault.fill();
            let done = if fault.failed() {
                // A poisoned page is visible at once, as a copied one is.
                lock.commit(stamp, || fault.open()).unwrap_or(false)
            } else {
                lock.read_commit(stamp).is_ok() && fault.open()
            };
            if done {
                return;
            }
            fault.take_back();
            fault.lost();
        }
        fault.takes_turn();
        lock.alone(|| {
            loop {
                fault.load();
                fault.fill();
                // No section runs, so only an eviction can have taken the page out.
                if fault.open() {
                    return;
                }
            }
        });
    }

    fn invalidate<M: Memory>(&self, pages: Range<usize>, memory: &M) -> Sections<'_> {
        let sections = self.stripes.write(&pages);
        memory.take_out(pages);
        sections
    }
}

impl Fenced for Closed {
    fn look<R>(&self, pages: Range<usize>, look: impl FnMut() -> R) -> R {
        self.stripes.look(&pages, look)
    }
}
