//! A kernel of one page: what is mapped, and what is behind the mapping.

use core::ops::Range;
use std::io;

use loom::sync::atomic::{AtomicU32, Ordering::Relaxed};

use seqschedlock_pager::{Memory, Opened};

/// Everybody sees the number, and not only those who know the file.
const MAPPED: u32 = 1 << 31;
/// Instead of a number.
pub const POISON: u32 = MAPPED - 1;
/// No page.
const NONE: u32 = 0;

/// The page table's entry and the page of the file, in one word: the number that the page holds, and whether it
/// is mapped.
///
/// Each step is one read-modify-write, since the kernel takes a step with the page table locked, or with the page
/// locked. All are relaxed: whatever its locks order beyond the word, no policy relies on it.
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

    /// Pages are taken out of the mapping, and stay behind it.
    pub fn that_only_zaps() -> Self {
        Self {
            punches: false,
            ..Self::new()
        }
    }

    /// What one sees who looks: no number if the page is not mapped.
    pub fn look(&self) -> Option<u32> {
        let page = self.page.load(Relaxed);
        (page & MAPPED != 0).then_some(page & !MAPPED)
    }

    /// One step from what is there now to what the step makes of it; returns what was there.
    ///
    /// (`fetch_update` would begin with a load that may be out of date, and explore that too.)
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

    /// It may be mapped already: then all see the new number.
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

    /// Those who wait are not modelled here: `flights.rs` does.
    fn wake(&self, _page: usize) {}
}
