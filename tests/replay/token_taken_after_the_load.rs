//! A token taken after the load: <https://github.com/VirtoCommerce/vc-platform/pull/3091>.
//!
//! A loaded entry was tied to an expiration token that was made after the load. An invalidation in
//! between cancelled the token before it and left the stale entry with a new one that nobody cancels.

use core::cell::{Cell, RefCell};
use std::sync::Arc;

use seqschedlock::{Fenced, RawSeqSchedLock, Spin};

use super::slot::Slot;
use super::stage::{Cache, Ledger, Side, alone, every_order_of, pause};

/// Cancelled by an invalidation: whatever is tied to it has expired.
type Token = Arc<Cell<bool>>;

/// As it was written.
struct TokenAfterLoad {
    cached: RefCell<Option<(u32, Token)>>,
    source: Cell<u32>,
    token: RefCell<Option<Token>>,
}

impl TokenAfterLoad {
    fn empty() -> Self {
        Self {
            cached: RefCell::new(None),
            source: Cell::new(1),
            token: RefCell::new(None),
        }
    }
}

impl Cache for TokenAfterLoad {
    async fn get(&self) -> u32 {
        let hit = self.cached.borrow().clone();
        if let Some((value, _)) = hit.filter(|(_, cancelled)| !cancelled.get()) {
            return value;
        }
        pause("missed").await;
        let value = self.source.get();
        pause("loaded").await;
        let token = Arc::clone(self.token.borrow_mut().get_or_insert_default());
        self.cached.replace(Some((value, token)));
        value
    }

    async fn change(&self) -> u32 {
        let version = self.source.get() + 1;
        self.source.set(version);
        pause("saved").await;
        if let Some(token) = self.token.take() {
            token.set(true);
        }
        version
    }
}

/// Where a reader of this crate takes its stamp.
#[derive(Clone, Copy, PartialEq)]
enum Stamped {
    BeforeLoad,
    AfterLoad,
}

/// Fenced: a stamp instead of a token. It has to be taken first all the same.
struct WithFence {
    cached: Slot,
    source: Cell<u32>,
    fence: RawSeqSchedLock<Spin>,
    stamped: Stamped,
}

impl WithFence {
    fn empty(stamped: Stamped) -> Self {
        Self {
            cached: Slot::default(),
            source: Cell::new(1),
            fence: RawSeqSchedLock::new(),
            stamped,
        }
    }
}

impl Cache for WithFence {
    async fn get(&self) -> u32 {
        if let Some(value) = self.cached.hit(&self.fence) {
            return value;
        }
        let mut stamp = self.fence.read_begin();
        pause("missed").await;
        let value = self.source.get();
        pause("loaded").await;
        if self.stamped == Stamped::AfterLoad {
            stamp = self.fence.read_begin();
        }
        let Ok(stamp) = stamp else {
            return value; // a change is being made: serve it uncached
        };
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
        pause("removed").await;
        let version = self.source.get() + 1;
        self.source.set(version);
        version
    }
}

fn story(cache: &impl Cache) -> u32 {
    let ledger = Ledger::default();
    let mut reader = Side::new(ledger.get(cache));
    let writer = Side::new(ledger.change(cache));

    reader.until("loaded"); // the old value
    writer.finish(); // nothing is cached and no token is out
    reader.finish(); // caches it, with a token nobody will cancel
    alone(ledger.get(cache));
    ledger.stale()
}

#[test]
fn a_token_taken_after_the_load_serves_what_was_invalidated() {
    assert_eq!(story(&TokenAfterLoad::empty()), 1);
    assert!(every_order_of(TokenAfterLoad::empty).stale > 0);
}

/// No lock can tell when the load began. The stamp has to.
#[test]
fn a_stamp_taken_after_the_load_does_too() {
    assert_eq!(story(&WithFence::empty(Stamped::AfterLoad)), 1);
}

#[test]
fn fenced_never_does() {
    assert_eq!(story(&WithFence::empty(Stamped::BeforeLoad)), 0);
}

#[test]
fn fenced_never_does_in_any_order() {
    let orders = every_order_of(|| WithFence::empty(Stamped::BeforeLoad));
    assert_eq!(orders.stale, 0, "{orders:?}");
}

#[test]
fn a_fill_that_failed_leaves_a_newer_entry_alone() {
    let cache = WithFence::empty(Stamped::BeforeLoad);
    let ledger = Ledger::default();
    let mut early = Side::new(ledger.get(&cache));

    early.until("published"); // the old value
    alone(ledger.change(&cache));
    alone(ledger.get(&cache)); // the new one, and validated
    early.finish();
    assert_eq!(cache.cached.hit(&cache.fence), Some(2));
    assert_eq!(ledger.stale(), 0);
}
