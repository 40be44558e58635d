//! What the tests have in common: a process, and shorthands for what happens to it.

use core::ops::Deref;

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::{
    MREMAP_FIXED, MREMAP_MAYMOVE, Mm, PAGE_SIZE, Request, Rules, Version,
};

/// Bytes of a page.
pub const PAGE: u64 = PAGE_SIZE;
/// Places that are empty at first, far from one another.
pub const A: u64 = 0x1000_0000;
pub const B: u64 = 0x2000_0000;
pub const C: u64 = 0x3000_0000;
/// The words of a header.
pub const ID: u64 = 0;
pub const NR: u64 = 4;
pub const HEAD: u64 = 8;
pub const TAIL: u64 = 12;

pub const FIXED: u32 = MREMAP_MAYMOVE | MREMAP_FIXED;
/// How many requests take a ring of this many pages.
pub const ONE_PAGE: u32 = 1;
pub const TWO_PAGES: u32 = 100;
pub const FOUR_PAGES: u32 = 200;

/// A process. Whatever a test does to it, at its end every invariant holds.
pub struct World(Mm);

impl World {
    pub fn new() -> Self {
        Self::with(Version::Y2023.rules())
    }

    pub fn with(rules: Rules) -> Self {
        World(Mm::new(rules))
    }

    /// A ring at a place of its own.
    pub fn ring_at(&self, requests: u32, at: u64) -> u64 {
        let id = self.io_setup(requests).unwrap();
        let length = self.length_of(id);
        assert_eq!(self.mremap(id, length, length, FIXED, at), Ok(at));
        at
    }

    /// How long the ring is that begins at an address.
    pub fn length_of(&self, at: u64) -> u64 {
        let pages = self.snapshot().pages;
        let number = pages[&at].number;
        pages.values().filter(|page| page.number == number).count() as u64 * PAGE
    }

    /// Moves this many pages.
    pub fn shift(&self, from: u64, pages: u64, to: u64) -> Result<u64, Errno> {
        self.mremap(from, pages * PAGE, pages * PAGE, FIXED, to)
    }

    /// Whether an address is an id: all four calls agree about that.
    pub fn is_id(&self, id: u64) -> bool {
        // None of them does anything to a context that is there.
        let events = self.io_getevents(id, 0, 0).is_ok();
        let found = self.lookup(id).is_some();
        assert_eq!(events, found, "io_getevents of {id:#x}");
        assert_eq!(self.io_cancel(id, u64::MAX), Err(Errno::Invalid));
        if !found {
            let request = Request::Read { data: 0 };
            assert_eq!(self.io_submit(id, request), Err(Errno::Invalid), "{id:#x}");
            assert_eq!(self.io_destroy(id), Err(Errno::Invalid), "{id:#x}");
        }
        found
    }

    /// Which pages of a range are mapped.
    pub fn mapped(&self, at: u64, pages: u64) -> Vec<u64> {
        let is_mapped = |page: &u64| self.is_mapped(at + page * PAGE);
        (0..pages).filter(is_mapped).collect()
    }

    /// Completes a request at once.
    pub fn read(&self, id: u64, data: u64) {
        self.io_submit(id, Request::Read { data }).unwrap();
    }

    /// All events that are there.
    pub fn events(&self, id: u64) -> Vec<u64> {
        self.io_getevents(id, 0, 1_000).unwrap()
    }
}

impl Deref for World {
    type Target = Mm;

    fn deref(&self) -> &Mm {
        &self.0
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.check(), Ok(()), "at the end");
            self.exit();
            assert_eq!(self.check(), Ok(()), "after the end");
        }
    }
}
