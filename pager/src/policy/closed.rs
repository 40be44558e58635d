use core::ops::Range;

use super::stripes::{Sections, Stripes};
use super::{Fenced, Policy};
use crate::fault::Fault;
use crate::memory::Memory;
use crate::sync::PATIENCE;

/// This crate, without a gate on the way: publish where nobody looks, commit, then open.
///
/// A load goes into the page cache of a file, behind the mapping. After `read_commit` every later section finds
/// it there and takes it out, so what `UFFDIO_CONTINUE` maps then is good, or gone. It maps what is there *at
/// that moment*, whoever put it there: two handlers on one page would open each other's pages before they are
/// committed, so this needs [`Flights`](crate::Flights).
///
/// Sections begin in a gate all the same, for those faults that lost too often or have a failure to show.
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
                // A poisoned page is seen at once, as a copied one is.
                lock.publish(stamp, || fault.open()).unwrap_or(false)
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
                // No section runs; whoever takes the page out now only wants its memory.
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
