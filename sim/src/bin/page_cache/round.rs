//! The time of a round, and everything that sleeps within it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use seqschedlock_sim::page_cache::{
    FileSystem, LockedPage, MkWrite, PAGE_SIZE, PageRef, Store, VmFault,
};

/// No thread sleeps longer than this without checking whether the round is over.
const NAP: Duration = Duration::from_millis(20);

/// Says when a round is over.
#[derive(Debug, Default)]
pub struct Round {
    over: AtomicBool,
}

impl Round {
    pub fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }

    pub fn end(&self) {
        self.over.store(true, Relaxed);
    }

    /// Sleeps, but not for long after the round is over.
    pub fn sleep(&self, duration: Duration) {
        let mut left = duration;
        while !left.is_zero() && !self.is_over() {
            let nap = left.min(NAP);
            std::thread::sleep(nap);
            left -= nap;
        }
    }
}

/// A disk that answers after a while.
#[derive(Debug)]
pub struct SlowDisk {
    pub store: Arc<dyn Store>,
    pub latency: Duration,
    pub round: Arc<Round>,
}

impl Store for SlowDisk {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        self.round.sleep(self.latency);
        self.store.read_page(index, page)
    }

    fn write_page(&self, index: u64, bytes: &[u8]) -> io::Result<()> {
        self.round.sleep(self.latency);
        self.store.write_page(index, bytes)
    }

    fn size(&self) -> io::Result<u64> {
        self.store.size()
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.store.set_size(size)
    }
}

/// A file system that waits for its journal before a page may leave the cache.
#[derive(Debug)]
pub struct Journal {
    pub hold: Duration,
    pub round: Arc<Round>,
}

impl FileSystem for Journal {
    fn page_mkwrite(&self, _page: &PageRef) -> Result<MkWrite, VmFault> {
        Ok(MkWrite::Unlocked)
    }

    fn release_page(&self, _page: &LockedPage) {
        self.round.sleep(self.hold);
    }
}
