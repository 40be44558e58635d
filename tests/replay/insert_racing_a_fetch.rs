//! An insert that raced with a fetch: <https://github.com/foyer-rs/foyer/pull/1289>,
//! <https://github.com/foyer-rs/foyer/pull/1310>.
//!
//! An insert sets a flag that closes the fetch under way for its key, so that what is fetched is dropped. The
//! fetch looked at a flag of its own, a second one that was never set, and put the old value over the new one.

use core::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use seqschedlock::{Fenced, RawSeqSchedLock, Spin};

use super::slot::Slot;
use super::stage::{Cache, Ledger, Side, alone, every_order_of, pause};

/// As it was written: one flag in the table of fetches, one in the fetch.
struct TwoFlags {
    cached: Cell<Option<u32>>,
    source: Cell<u32>,
    /// The flag of the fetch that is under way.
    fetch: Cell<Option<Rc<Cell<bool>>>>,
}

impl TwoFlags {
    fn empty() -> Self {
        Self {
            cached: Cell::new(None),
            source: Cell::new(1),
            fetch: Cell::new(None),
        }
    }
}

impl Cache for TwoFlags {
    async fn get(&self) -> u32 {
        if let Some(value) = self.cached.get() {
            return value;
        }
        self.fetch.set(Some(Rc::default()));
        let closed = Rc::new(Cell::new(false)); // meant to be the same
        pause("fetch begun").await;
        let value = self.source.get();
        pause("fetched").await;
        if !closed.get() {
            self.cached.set(Some(value));
        }
        value
    }

    async fn change(&self) -> u32 {
        let version = self.source.get() + 1;
        self.source.set(version);
        pause("stored").await;
        if let Some(closed) = self.fetch.take() {
            closed.set(true);
        }
        self.cached.set(Some(version));
        version
    }
}

/// Fenced: the entry that a fetch has inserted tells whether it may be served. There is no flag to set.
struct WithFence {
    cached: Slot,
    source: Cell<u32>,
    fence: RawSeqSchedLock<Spin>,
}

impl WithFence {
    fn empty() -> Self {
        Self {
            cached: Slot::default(),
            source: Cell::new(1),
            fence: RawSeqSchedLock::new(),
        }
    }
}

impl Cache for WithFence {
    async fn get(&self) -> u32 {
        if let Some(value) = self.cached.hit(&self.fence) {
            return value;
        }
        let stamp = self.fence.read_begin();
        pause("fetch begun").await;
        let value = self.source.get();
        pause("fetched").await;
        if let Ok(stamp) = stamp {
            let entry = Arc::new(Fenced::new(stamp, value));
            self.cached.insert(&entry);
            pause("published").await;
            entry.hit(&self.fence);
        }
        value
    }

    /// The entry is removed, and the next get loads the new one.
    async fn change(&self) -> u32 {
        let _section = self.fence.write();
        self.cached.remove();
        pause("removed").await;
        let version = self.source.get() + 1;
        self.source.set(version);
        pause("stored").await;
        version
    }
}

fn story(cache: &impl Cache) -> u32 {
    let ledger = Ledger::default();
    let mut reader = Side::new(ledger.get(cache));
    let writer = Side::new(ledger.change(cache));

    reader.until("fetched"); // the old value
    writer.finish(); // closes the fetch, as it believes
    reader.finish(); // is not closed, and puts the old value over the new one
    alone(ledger.get(cache));
    ledger.stale()
}

#[test]
fn two_flags_serve_what_was_replaced() {
    assert_eq!(story(&TwoFlags::empty()), 1);
    assert!(every_order_of(TwoFlags::empty).stale > 0);
}

#[test]
fn fenced_never_does() {
    assert_eq!(story(&WithFence::empty()), 0);
}

#[test]
fn fenced_never_does_in_any_order() {
    let orders = every_order_of(WithFence::empty);
    assert_eq!(orders.stale, 0, "{orders:?}");
}
