use core::ops::Range;

use super::Policy;
use crate::fault::Fault;
use crate::memory::Memory;

/// No protection, as in many page fault handlers.
///
/// A load that is under way while its page is invalidated maps the old page. The old page stays mapped
/// until the next invalidation.
#[derive(Debug)]
pub struct Unprotected;

impl Policy for Unprotected {
    const NAME: &'static str = "Unprotected";

    type Section<'a> = ();

    fn new(_pages: usize, _block: usize) -> Self {
        Unprotected
    }

    fn serve<M: Memory>(&self, fault: &mut Fault<'_, M>) {
        fault.load();
        fault.map();
    }

    fn invalidate<M: Memory>(&self, pages: Range<usize>, memory: &M) {
        memory.take_out(pages);
    }
}
