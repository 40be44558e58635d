//! A model of the kernel with one page.

use core::ops::Range;
use std::io;

use loom::sync::atomic::{AtomicU32, Ordering::Relaxed};

use seqschedlock_pager::{Memory, Opened};

/// The page is mapped, so threads can read the number. Otherwise it is only behind the mapping.
const MAPPED: u32 = 1 << 31;
/// Takes the place of a number.
pub const POISON: u32 = MAPPED - 1;
/// There is no page.
const NONE: u32 = 0;

/// The entry of the page table and the page of the file, in one word: the number in the page, and whether it is
/// mapped.
///
/// Each step is one read-modify-write, because the kernel holds the lock of the page or of the page table.
/// All are relaxed, so the models do not rely on any further ordering by these locks.
#[derive(Debug)]
pub struct Kernel {
    page: AtomicU32,
    punches: bool,
}

impl Kernel {
    pub fn new() -> Self {
        Self {
            page: AtomicU32::new(NONE),
            punches: true,
        }
    }

    /// A kernel whose `take_out` leaves the page behind the mapping.
    pub fn that_only_zaps() -> Self {
        Self {
            punches: false,
            ..Self::new()
        }
    }

    /// The number that a thread reads, or `None` if the page is not mapped.
    pub fn look(&self) -> Option<u32> {
        let page = self.page.load(Relaxed);
        (page & MAPPED != 0).then_some(page & !MAPPED)
    }

    /// Replaces the word by `step` of it, and returns the old word.
    ///
    /// (`fetch_update` would begin with a relaxed load, and loom would explore all outdated values of it.)
    fn step(&self, step: impl Fn(u32) -> u32) -> u32 {
        let mut page = NONE;
        loop {
            let next = step(page);
            match self.page.compare_exchange(page, next, Relaxed, Relaxed) {
                Ok(_) => return page,
                Err(there) => page = there,
            }
        }
    }
}

impl Memory for Kernel {
    type Bytes = u32;

    fn copy(&self, _page: usize, number: &u32) -> io::Result<()> {
        self.step(|page| match page {
            NONE => number | MAPPED,
            there => there,
        });
        Ok(())
    }

    /// If the page is mapped, threads read the new number.
    fn fill(&self, _page: usize, number: &u32) -> io::Result<()> {
        self.step(|page| page & MAPPED | number);
        Ok(())
    }

    fn open(&self, _page: usize) -> io::Result<Opened> {
        let found = self.step(|page| match page {
            NONE => NONE,
            there => there | MAPPED,
        });
        Ok(match found {
            NONE => Opened::Gone,
            _ => Opened::Mapped,
        })
    }

    fn poison(&self, _page: usize) -> bool {
        self.step(|page| match page & MAPPED {
            0 => POISON | MAPPED,
            _ => page,
        });
        true
    }

    fn take_out(&self, _pages: Range<usize>) {
        match self.punches {
            true => self.page.swap(NONE, Relaxed),
            false => self.step(|page| page & !MAPPED),
        };
    }

    /// Threads that wait are modelled in `flights.rs`.
    fn wake(&self, _page: usize) {}
}
