//! A placeholder for a load that is under way, which removals remove: what quick_cache 0.7 does by itself.
//!
//! A load has a place in the cache before it begins. `remove` removes that, too, and what the load then inserts is
//! refused. So an update that changes the source first and then removes the entry lets nothing old come back, as long
//! as the removal follows. It does not follow if the update fails, or is given up, after its change has taken effect.
//! The other order has no such gap, and lets in a load that begins between the removal and the change.

use core::cell::Cell;
use std::sync::Arc;

use quick_cache::sync::{Cache as QuickCache, GuardResult};
use seqschedlock::{Fenced, RawSeqSchedLock, Spin};

use super::stage::{Cache, Ledger, Side, alone, pause};

const KEY: u32 = 7;

#[derive(Clone, Copy, PartialEq)]
enum First {
    Change,
    Removal,
}

/// As its documentation shows it, and with the two steps of an update in the other order.
struct Unfenced {
    cache: QuickCache<u32, u32>,
    source: Cell<u32>,
    first: First,
}

impl Unfenced {
    fn empty(first: First) -> Self {
        Self {
            cache: QuickCache::new(100),
            source: Cell::new(1),
            first,
        }
    }
}

impl Cache for Unfenced {
    async fn get(&self) -> u32 {
        match self.cache.get_value_or_guard(&KEY, None) {
            GuardResult::Value(value) => value,
            GuardResult::Guard(guard) => {
                pause("missed").await;
                let value = self.source.get();
                pause("loaded").await;
                let _ = guard.insert(value);
                value
            }
            GuardResult::Timeout => unreachable!("there is no timeout"),
        }
    }

    async fn change(&self) -> u32 {
        if self.first == First::Removal {
            self.cache.remove(&KEY);
            pause("removed").await;
        }
        let version = self.source.get() + 1;
        self.source.set(version);
        pause("changed").await;
        if self.first == First::Change {
            self.cache.remove(&KEY);
        }
        version
    }
}

/// Fenced: the removal comes first, and a load that begins before the change does not count.
struct WithFence {
    cache: QuickCache<u32, Arc<Fenced<u32>>>,
    source: Cell<u32>,
    fence: RawSeqSchedLock<Spin>,
}

impl WithFence {
    fn empty() -> Self {
        Self {
            cache: QuickCache::new(100),
            source: Cell::new(1),
            fence: RawSeqSchedLock::new(),
        }
    }
}

impl Cache for WithFence {
    async fn get(&self) -> u32 {
        let found = self.cache.get(&KEY);
        if let Some(value) = found.and_then(|entry| entry.hit(&self.fence).copied()) {
            return value;
        }
        let Ok(stamp) = self.fence.read_begin() else {
            return self.source.get(); // a change is being made: serve it uncached
        };
        pause("missed").await;
        let value = self.source.get();
        pause("loaded").await;
        let entry = Arc::new(Fenced::new(stamp, value));
        self.cache.insert(KEY, Arc::clone(&entry));
        entry.hit(&self.fence);
        value
    }

    async fn change(&self) -> u32 {
        let _section = self.fence.write();
        self.cache.remove(&KEY);
        pause("removed").await;
        let version = self.source.get() + 1;
        self.source.set(version);
        pause("changed").await;
        version
    }
}

/// A load that began before the update and ends after it.
fn load_from_before(cache: &impl Cache) -> u32 {
    let ledger = Ledger::default();
    let mut reader = Side::new(ledger.get(cache));
    let writer = Side::new(ledger.change(cache));

    reader.until("loaded"); // the old value
    writer.finish();
    reader.finish();
    alone(ledger.get(cache));
    ledger.stale()
}

/// A load that begins between the removal and the change.
fn load_in_between(cache: &impl Cache) -> u32 {
    let ledger = Ledger::default();
    let mut reader = Side::new(ledger.get(cache));
    let mut writer = Side::new(ledger.change(cache));

    writer.until("removed");
    reader.until("loaded"); // the old value, unless it does without
    writer.finish();
    reader.finish();
    alone(ledger.get(cache));
    ledger.stale()
}

/// What is served after an update that took effect and was given up before its end.
fn given_up(cache: &impl Cache) -> u32 {
    let (ledger, served) = (Ledger::default(), Cell::new(0));
    alone(ledger.get(cache));
    let mut writer = Side::new(ledger.change(cache));
    writer.until("changed");
    drop(writer);
    alone(async { served.set(cache.get().await) });
    served.get()
}

#[test]
fn a_removed_placeholder_keeps_an_old_load_out() {
    assert_eq!(load_from_before(&Unfenced::empty(First::Change)), 0);
}

#[test]
fn an_update_that_is_given_up_leaves_what_it_changed_in_the_cache() {
    assert_eq!(given_up(&Unfenced::empty(First::Change)), 1);
}

#[test]
fn a_load_between_the_removal_and_the_change_serves_what_was_changed() {
    assert_eq!(load_in_between(&Unfenced::empty(First::Removal)), 1);
}

#[test]
fn fenced_never_does() {
    assert_eq!(load_from_before(&WithFence::empty()), 0);
    assert_eq!(load_in_between(&WithFence::empty()), 0);
    assert_eq!(given_up(&WithFence::empty()), 2);
}
