//! A fill between the invalidation and the commit: <https://github.com/apache/gravitino/issues/10739>.
//!
//! Entries were invalidated before the change was written to the backend. A reader that came in between
//! missed, loaded what was about to be replaced and cached it: a renamed catalog kept its old name.

use core::cell::Cell;
use std::sync::Arc;

use seqschedlock::{Fenced, RawSeqSchedLock, Spin};

use super::slot::Slot;
use super::stage::{Cache, Ledger, Side, alone, every_order_of, pause};

/// As it was written, and with the generation that is the usual first remedy: the reader compares it
/// before it caches anything. It does not help, for it counts where the change begins and not where
/// it ends.
struct BumpedFirst {
    cached: Cell<Option<u32>>,
    backend: Cell<u32>,
    generation: Cell<u64>,
}

impl BumpedFirst {
    fn empty() -> Self {
        Self {
            cached: Cell::new(None),
            backend: Cell::new(1),
            generation: Cell::new(0),
        }
    }
}

impl Cache for BumpedFirst {
    async fn get(&self) -> u32 {
        if let Some(value) = self.cached.get() {
            return value;
        }
        let generation = self.generation.get();
        pause("missed").await;
        let value = self.backend.get();
        pause("loaded").await;
        if self.generation.get() == generation {
            self.cached.set(Some(value));
        }
        value
    }

    async fn change(&self) -> u32 {
        self.generation.set(self.generation.get() + 1);
        self.cached.set(None);
        pause("invalidated").await;
        let version = self.backend.get() + 1;
        self.backend.set(version);
        version
    }
}

/// Fenced: the change is one write section, from before the invalidation until after the commit.
///
/// Nothing that is filled while it runs can stay. So the entry is removed first: a change that is cut
/// short then leaves nothing stale. The cache has no lock to check under, so the entry is published
/// first, and then validated.
struct WithFence {
    cached: Slot,
    backend: Cell<u32>,
    fence: RawSeqSchedLock<Spin>,
}

impl WithFence {
    fn empty() -> Self {
        Self {
            cached: Slot::default(),
            backend: Cell::new(1),
            fence: RawSeqSchedLock::new(),
        }
    }
}

impl Cache for WithFence {
    async fn get(&self) -> u32 {
        if let Some(value) = self.cached.hit(&self.fence) {
            return value;
        }
        let Ok(stamp) = self.fence.read_begin() else {
            return self.backend.get(); // a change is being made: serve it uncached
        };
        pause("missed").await;
        let value = self.backend.get();
        pause("loaded").await;
        let entry = Arc::new(Fenced::new(stamp, value));
        self.cached.insert(&entry);
        pause("published").await;
        if entry.hit(&self.fence).is_some() {
            pause("committed").await;
        }
        value
    }

    async fn change(&self) -> u32 {
        let _section = self.fence.write();
        self.cached.remove();
        pause("invalidated").await;
        let version = self.backend.get() + 1;
        self.backend.set(version);
        pause("stored").await;
        version
    }
}

fn story(cache: &impl Cache) -> u32 {
    let ledger = Ledger::default();
    let mut writer = Side::new(ledger.change(cache));
    let mut reader = Side::new(ledger.get(cache));

    writer.until("invalidated"); // bumped, and not committed
    reader.until("loaded"); // what is about to be replaced
    writer.finish();
    reader.finish(); // the generation is what it was when this began
    alone(ledger.get(cache));
    ledger.stale()
}

#[test]
fn a_generation_bumped_first_serves_what_was_replaced() {
    assert_eq!(story(&BumpedFirst::empty()), 1);
    assert!(every_order_of(BumpedFirst::empty).stale > 0);
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
