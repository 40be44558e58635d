//! A token taken after the load: <https://github.com/VirtoCommerce/vc-platform/pull/3091>.
//!
//! A loaded entry was tied to an expiration token that was made after the load. An invalidation in
//! between cancelled the token before it and left the stale entry with a new one that nobody cancels.

use core::cell::{Cell, RefCell};
use std::sync::Arc;

use seqschedlock::{RawSeqSchedLock, Spin};

use super::entry::Entry;
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
struct Fenced {
    cached: RefCell<Option<Arc<Entry<u32>>>>,
    source: Cell<u32>,
    fence: RawSeqSchedLock<Spin>,
    stamped: Stamped,
}

impl Fenced {
    fn empty(stamped: Stamped) -> Self {
        Self {
            cached: RefCell::new(None),
            source: Cell::new(1),
            fence: RawSeqSchedLock::new(),
            stamped,
        }
    }
}

impl Cache for Fenced {
    async fn get(&self) -> u32 {
        let hit = self.cached.borrow().clone().filter(|entry| entry.is_open());
        if let Some(entry) = hit {
            return *entry.value();
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
        let entry = Entry::closed(value);
        self.cached.replace(Some(Arc::clone(&entry)));
        pause("published").await;
        if self.fence.read_commit(stamp).is_ok() {
            pause("committed").await;
            entry.open();
        } else {
            self.cached
                .borrow_mut()
                .take_if(|there| Arc::ptr_eq(there, &entry));
        }
        value
    }

    async fn change(&self) -> u32 {
        let _section = self.fence.write();
        self.cached.replace(None);
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
    assert_eq!(story(&Fenced::empty(Stamped::AfterLoad)), 1);
}

#[test]
fn fenced_never_does() {
    assert_eq!(story(&Fenced::empty(Stamped::BeforeLoad)), 0);
}

#[test]
fn fenced_never_does_in_any_order() {
    let orders = every_order_of(|| Fenced::empty(Stamped::BeforeLoad));
    assert_eq!(orders.stale, 0, "{orders:?}");
}

#[test]
fn a_failed_fill_takes_back_only_its_own() {
    let cache = Fenced::empty(Stamped::BeforeLoad);
    let ledger = Ledger::default();
    let mut early = Side::new(ledger.get(&cache));

    early.until("published"); // the old value, closed
    alone(ledger.change(&cache));
    alone(ledger.get(&cache)); // the new one, open
    early.finish();
    let left = cache.cached.borrow().clone();
    assert!(left.is_some_and(|entry| entry.is_open() && *entry.value() == 2));
    assert_eq!(ledger.stale(), 0);
}
