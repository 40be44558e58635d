use core::ops::Range;

use super::Policy;
use crate::fault::Fault;
use crate::memory::Memory;

/// Nothing, as in many a handler: a load that was under way when its page was invalidated maps what it has.
///
/// Nobody takes that out again, until the page is invalidated the next time.
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
