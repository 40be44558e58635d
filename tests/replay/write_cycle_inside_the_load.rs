//! A whole write cycle inside a reader's load: <https://github.com/near/nearcore/pull/14987>.
//!
//! Readers kept what they had read from the database unless a flush was in progress at that moment. One
//! that began and ended between a reader's read and its look at the flag left the old value cached.

use core::cell::Cell;
use std::sync::Arc;

use seqschedlock::{Fenced, RawSeqSchedLock, Spin};

use super::slot::Slot;
use super::stage::{Cache, Ledger, Side, alone, every_order_of, pause};

/// As it was written: the flag says that a flush runs, nothing says that one ran.
struct InProgressFlag {
    cached: Cell<Option<u32>>,
    database: Cell<u32>,
    active_flushes: Cell<u32>,
}

impl InProgressFlag {
    fn empty() -> Self {
        Self {
            cached: Cell::new(None),
            database: Cell::new(1),
            active_flushes: Cell::new(0),
        }
    }
}

impl Cache for InProgressFlag {
    async fn get(&self) -> u32 {
        if let Some(value) = self.cached.get() {
            return value;
        }
        pause("missed").await;
        let value = self.database.get();
        pause("loaded").await;
        if self.active_flushes.get() == 0 {
            self.cached.set(Some(value));
        }
        value
    }

    async fn change(&self) -> u32 {
        self.active_flushes.set(self.active_flushes.get() + 1);
        self.cached.set(None);
        pause("flush begun").await;
        let version = self.database.get() + 1;
        self.database.set(version);
        pause("flushed").await;
        self.active_flushes.set(self.active_flushes.get() - 1);
        version
    }
}

/// Fenced: the lock says both, in one look, and the flush is its write section.
///
/// Check and insertion are one step under the lock of the column's cache (here: without a pause), which
/// the flush takes too after it has begun its section. So the check needs no retraction.
struct CheckedInside {
    cached: Cell<Option<u32>>,
    database: Cell<u32>,
    fence: RawSeqSchedLock<Spin>,
}

impl CheckedInside {
    fn empty() -> Self {
        Self {
            cached: Cell::new(None),
            database: Cell::new(1),
            fence: RawSeqSchedLock::new(),
        }
    }
}

impl Cache for CheckedInside {
    async fn get(&self) -> u32 {
        if let Some(value) = self.cached.get() {
            return value;
        }
        let stamp = self.fence.read_begin();
        pause("missed").await;
        let value = self.database.get();
        pause("loaded").await;
        if stamp.is_ok_and(|stamp| self.fence.read_end(stamp).is_ok()) {
            self.cached.set(Some(value));
        }
        value
    }

    async fn change(&self) -> u32 {
        let _section = self.fence.write();
        self.cached.set(None);
        pause("flush begun").await;
        let version = self.database.get() + 1;
        self.database.set(version);
        pause("flushed").await;
        version
    }
}

/// The same for a cache without such a lock: what is found in it is checked before it is served.
struct AskedWhenFound {
    cached: Slot,
    database: Cell<u32>,
    fence: RawSeqSchedLock<Spin>,
}

impl AskedWhenFound {
    fn empty() -> Self {
        Self {
            cached: Slot::default(),
            database: Cell::new(1),
            fence: RawSeqSchedLock::new(),
        }
    }
}

impl Cache for AskedWhenFound {
    async fn get(&self) -> u32 {
        if let Some(value) = self.cached.hit(&self.fence) {
            return value;
        }
        let stamp = self.fence.read_begin();
        pause("missed").await;
        let value = self.database.get();
        pause("loaded").await;
        if let Ok(stamp) = stamp {
            let entry = Arc::new(Fenced::new(stamp, value));
            self.cached.insert(&entry);
            pause("published").await;
            entry.hit(&self.fence);
        }
        value
    }

    async fn change(&self) -> u32 {
        let _section = self.fence.write();
        self.cached.remove();
        pause("flush begun").await;
        let version = self.database.get() + 1;
        self.database.set(version);
        pause("flushed").await;
        version
    }
}

fn story(cache: &impl Cache) -> u32 {
    let ledger = Ledger::default();
    let mut reader = Side::new(ledger.get(cache));
    let writer = Side::new(ledger.change(cache));

    reader.until("loaded"); // the old value
    writer.finish(); // from end to end
    reader.finish(); // no flush is in progress now
    alone(ledger.get(cache));
    ledger.stale()
}

#[test]
fn a_flag_alone_serves_what_was_overwritten() {
    assert_eq!(story(&InProgressFlag::empty()), 1);
    assert!(every_order_of(InProgressFlag::empty).stale > 0);
}

#[test]
fn fenced_never_does() {
    assert_eq!(story(&CheckedInside::empty()), 0);
    assert_eq!(story(&AskedWhenFound::empty()), 0);
}

#[test]
fn fenced_never_does_in_any_order() {
    let orders = every_order_of(CheckedInside::empty);
    assert_eq!(orders.stale, 0, "{orders:?}");
    let orders = every_order_of(AskedWhenFound::empty);
    assert_eq!(orders.stale, 0, "{orders:?}");
}
