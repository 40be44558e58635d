use core::ops::Range;

use super::stripes::{Sections, Stripes};
use super::{Fenced, Policy};
use crate::fault::Fault;
use crate::memory::Memory;
use crate::sync::PATIENCE;

/// This crate: load beside everything, then validate and map in the gate that sections begin in.
///
/// `UFFDIO_COPY` shows a page to everybody at once, whoever is woken later. So what it maps must be known to
/// be good *before*, and stay so until it is mapped: that is what the gate is for. An invalidation waits for
/// the short way through the gate and never for a load, and a fault only for invalidations on its stripe.
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
            if lock.publish(stamp, || fault.map()).is_ok() {
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
