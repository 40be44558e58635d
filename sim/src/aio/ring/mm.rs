//! A process, as far as its rings are concerned: `mm_struct`.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

// From `core` also under loom: these are counts that no race depends on.
use core::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed};

use super::context::{KioCtx, Ring};
use super::version::Version;
use super::witness::Witness;
use crate::aio::errno::Errno;
use crate::aio::lockdep::{Deadlock, LockClass};
use crate::aio::locks::{SleepingGuard, SleepingLock, SpinGuard, SpinLock};
use crate::locks::lock;
use crate::sync::{Mutex, MutexGuard, RING_SLOTS};

/// The size of a page, which only addresses depend on.
const PAGE_SIZE: u64 = 32 * RING_SLOTS as u64;
/// Where the first ring is mapped.
const FIRST_ADDRESS: u64 = 0x1000_0000;
/// `aio_max_nr`.
const MAX_EVENTS: u64 = 0x10000;

/// The table of contexts, by their ids: `mm->ioctx_table`.
pub(super) type Table = Vec<Option<Arc<KioCtx>>>;

/// A process with AIO rings.
///
/// All its rings follow the same [`Version`] of the kernel. Everything may be called from any thread.
#[derive(Debug)]
pub struct Mm {
    pub(super) version: Version,
    pub(super) witness: Arc<Witness>,
    /// A mutex, since a waiting writer makes readers exclude one another, too.
    mmap_sem: SleepingLock,
    table: SpinLock<Table>,
    /// Which ring is mapped where. Changes need `mmap_sem`; looking up an address does not.
    areas: Mutex<BTreeMap<u64, Arc<Ring>>>,
    next_address: AtomicU64,
    aio_nr: AtomicU64,
    /// Where compaction finds pages to move.
    lru: Mutex<Vec<Weak<Ring>>>,
}

impl Mm {
    /// A process without rings.
    #[must_use]
    pub fn new(version: Version) -> Arc<Self> {
        Self::with_pauses(version, || {})
    }

    /// The same, and every operation calls `between_steps` at the places where versions have their races.
    /// A program can interrupt a thread there, to make rare races frequent.
    #[must_use]
    pub fn with_pauses(version: Version, between_steps: fn()) -> Arc<Self> {
        let witness = Arc::new(Witness::new(between_steps));
        let lockdep = &witness.lockdep;
        Arc::new(Self {
            version,
            mmap_sem: SleepingLock::new(LockClass::MmapSem, lockdep),
            table: SpinLock::new(LockClass::IoctxLock, lockdep, Table::new()),
            areas: Mutex::new(BTreeMap::new()),
            next_address: AtomicU64::new(FIRST_ADDRESS),
            aio_nr: AtomicU64::new(0),
            lru: Mutex::new(Vec::new()),
            witness,
        })
    }

    pub(super) fn mmap_sem(&self) -> Result<SleepingGuard<'_>, Deadlock> {
        self.mmap_sem.lock()
    }

    /// `ioctx_lock` and the table.
    pub(super) fn table(&self) -> SpinGuard<'_, Table> {
        self.table.lock()
    }

    pub(super) fn areas(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Ring>>> {
        lock(&self.areas)
    }

    /// The ring that is mapped there.
    pub(super) fn area(&self, address: u64) -> Option<Arc<Ring>> {
        self.areas().get(&address).cloned()
    }

    /// Maps a whole ring and says where: `do_mmap`.
    pub(super) fn mmap(&self, ring: &Arc<Ring>) -> Result<u64, Deadlock> {
        let _mmap_sem = self.mmap_sem()?;
        let size = ring.len() as u64 * PAGE_SIZE;
        let address = self.next_address.fetch_add(size, Relaxed);
        ring.map()?;
        self.areas().insert(address, Arc::clone(ring));
        Ok(address)
    }

    /// Unmaps the ring that is mapped there: `vm_munmap`.
    pub(super) fn munmap(&self, address: u64) -> Result<(), Deadlock> {
        let _mmap_sem = self.mmap_sem()?;
        let ring = self.areas().remove(&address);
        if let Some(ring) = ring {
            ring.unmap();
        }
        Ok(())
    }

    /// Accounts for so many events, if the limit allows them.
    pub(super) fn charge(&self, events: u32) -> Result<(), Errno> {
        let more = |sum: u64| Some(sum + u64::from(events)).filter(|sum| *sum <= MAX_EVENTS);
        match self.aio_nr.fetch_update(AcqRel, Acquire, more) {
            Ok(_) => Ok(()),
            Err(_) => Err(Errno::Again),
        }
    }

    pub(super) fn uncharge(&self, events: u32) {
        self.aio_nr.fetch_sub(events.into(), AcqRel);
    }

    /// How many events all contexts together were set up for: `aio-nr`.
    #[must_use]
    pub fn aio_nr(&self) -> u64 {
        self.aio_nr.load(Acquire)
    }

    /// The pages of this ring can be moved from now on.
    pub(super) fn lru_add(&self, ring: &Arc<Ring>) {
        let mut lru = lock(&self.lru);
        lru.retain(|ring| ring.strong_count() != 0);
        lru.push(Arc::downgrade(ring));
    }

    /// The rings whose pages can be moved.
    pub(super) fn lru(&self) -> Vec<Arc<Ring>> {
        let lru = lock(&self.lru);
        lru.iter().filter_map(Weak::upgrade).collect()
    }
}
