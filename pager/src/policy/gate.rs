use core::ops::Range;

use super::stripes::{Sections, Stripes};
use super::{Fenced, Policy};
use crate::fault::Fault;
use crate::memory::Memory;
use crate::sync::PATIENCE;

/// This crate: load without a lock, then validate and map inside the gate in which sections begin.
///
/// Every thread can read a page as soon as `UFFDIO_COPY` has mapped it. So the page must be validated
/// *before* that, and no section may begin in between; the gate ensures both. An invalidation waits for its
/// turn at the gate and not for loads. A fault waits only for invalidations on its stripe.
///
/// After three conflicts a fault keeps the gate while it loads. Only then does an invalidation wait for a load.
#[derive(Debug)]
pub struct Gate {
    stripes: Stripes,
}

impl Policy for Gate {
    const NAME: &'static str = "Gate";

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
            if lock.commit(stamp, || fault.map()).is_ok() {
                return;
            }
            fault.lost();
        }
        fault.takes_turn();
        lock.alone(|| {
            fault.load();
            fault.map();
        });
    }

    fn invalidate<M: Memory>(&self, pages: Range<usize>, memory: &M) -> Sections<'_> {
        let sections = self.stripes.write(&pages);
        memory.take_out(pages);
        sections
    }
}

impl Fenced for Gate {
    fn look<R>(&self, pages: Range<usize>, look: impl FnMut() -> R) -> R {
        self.stripes.look(&pages, look)
    }
}
