use core::ops::Range;
use std::sync::PoisonError;

use super::Policy;
use crate::fault::Fault;
use crate::memory::Memory;
use crate::sync::{Mutex, MutexGuard};

/// A mutex for every page: a fault holds that of its page, an invalidation those of all its pages.
///
/// It is sound, and the strongest rival: a fault waits only for invalidations of its own page. An
/// invalidation waits for the loads of its pages.
#[derive(Debug)]
pub struct PageMutex {
    pages: Box<[Mutex<()>]>,
}

impl PageMutex {
    fn lock(&self, page: usize) -> MutexGuard<'_, ()> {
        self.pages[page]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Policy for PageMutex {
    const NAME: &'static str = "PageMutex";

    type Section<'a> = Vec<MutexGuard<'a, ()>>;

    fn new(pages: usize, _block: usize) -> Self {
        Self {
            pages: (0..pages).map(|_| Mutex::new(())).collect(),
        }
    }

    fn serve<M: Memory>(&self, fault: &mut Fault<'_, M>) {
        let _locked = self.lock(fault.page());
        fault.load();
        fault.map();
    }

    fn invalidate<M: Memory>(&self, pages: Range<usize>, memory: &M) -> Self::Section<'_> {
        // In ascending order, so that two invalidations cannot wait for each other.
        let locked = pages.clone().map(|page| self.lock(page)).collect();
        memory.take_out(pages);
        locked
    }
}
