//! Overlapping invalidations: <https://github.com/trinodb/trino/issues/22285>.
//!
//! Two invalidations of a key overlapped. The one that had changed the table found the token gone and
//! returned; a reader older than both put the token back, with the old value still behind it.

use core::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use seqschedlock::{Fenced, RawSeqSchedLock, Spin};

use super::slot::Slot;
use super::stage::{Cache, Ledger, Order, Orders, Side, alone, every_order, pause};

type Token = u32;

/// A cache that reaches its data through tokens: to take the token away is to invalidate the entry,
/// and a load that is still under way ends up behind a token that nobody can find any more.
///
/// A token may get lost in other ways (eviction during a long load), so a reader puts its own back.
#[derive(Debug)]
struct Tokens {
    current: Cell<Option<Token>>,
    made: Cell<Token>,
    data: RefCell<HashMap<Token, u32>>,
    source: Cell<u32>,
}

impl Tokens {
    /// The first version is in the cache.
    fn filled() -> Self {
        Self {
            current: Cell::new(Some(1)),
            made: Cell::new(1),
            data: RefCell::new(HashMap::from([(1, 1)])),
            source: Cell::new(1),
        }
    }

    fn current_or_new(&self) -> Token {
        let token = self.current.get().unwrap_or_else(|| {
            self.made.set(self.made.get() + 1);
            self.made.get()
        });
        self.current.set(Some(token));
        token
    }

    fn value_behind(&self, token: Token) -> u32 {
        let mut data = self.data.borrow_mut();
        *data.entry(token).or_insert_with(|| self.source.get())
    }
}

trait Evictable: Cache {
    /// Makes the cache forget its entry. Somebody else may have changed the source.
    async fn invalidate(&self);
}

/// As it was written: invalidations are counted where they begin, and nowhere else.
struct CountedAtOneEnd {
    tokens: Tokens,
    invalidations: Cell<u64>,
}

impl CountedAtOneEnd {
    fn filled() -> Self {
        Self {
            tokens: Tokens::filled(),
            invalidations: Cell::new(0),
        }
    }
}

impl Cache for CountedAtOneEnd {
    async fn get(&self) -> u32 {
        let invalidations = self.invalidations.get();
        let token = self.tokens.current_or_new();
        pause("token taken").await;
        let value = self.tokens.value_behind(token);
        pause("value looked up").await;
        if self.invalidations.get() == invalidations && self.tokens.current.get().is_none() {
            self.tokens.current.set(Some(token));
        }
        value
    }

    async fn change(&self) -> u32 {
        let version = self.tokens.source.get() + 1;
        self.tokens.source.set(version);
        self.invalidate().await;
        version
    }
}

impl Evictable for CountedAtOneEnd {
    async fn invalidate(&self) {
        self.invalidations.set(self.invalidations.get() + 1);
        pause("invalidation begun").await;
        let token = self.tokens.current.take();
        pause("token removed").await;
        if let Some(token) = token {
            self.tokens.data.borrow_mut().remove(&token);
        }
    }
}

/// Fenced: the invalidation is a write section, over both maps and from end to end.
///
/// A token is put back under the lock of its map (here: without a pause), which an invalidation takes too
/// after it has begun its section. So a check that holds there needs no retraction: an invalidation that
/// begins later finds the token.
///
/// The removal has to come after the change: a reader that finds no token puts a new one into place at once,
/// without a fence, and whatever it then loads is behind it. (With the removal first, some orders of steps
/// are stale.)
struct CheckedInside {
    tokens: Tokens,
    fence: RawSeqSchedLock<Spin>,
}

impl CheckedInside {
    fn filled() -> Self {
        Self {
            tokens: Tokens::filled(),
            fence: RawSeqSchedLock::new(),
        }
    }

    async fn remove(&self) {
        pause("invalidation begun").await;
        let token = self.tokens.current.take();
        pause("token removed").await;
        if let Some(token) = token {
            self.tokens.data.borrow_mut().remove(&token);
        }
    }
}

impl Cache for CheckedInside {
    async fn get(&self) -> u32 {
        let stamp = self.fence.read_begin();
        let token = self.tokens.current_or_new();
        pause("token taken").await;
        let value = self.tokens.value_behind(token);
        pause("value looked up").await;
        let held = stamp.is_ok_and(|stamp| self.fence.read_end(stamp).is_ok());
        if held && self.tokens.current.get().is_none() {
            self.tokens.current.set(Some(token));
        }
        value
    }

    async fn change(&self) -> u32 {
        let _section = self.fence.write();
        let version = self.tokens.source.get() + 1;
        self.tokens.source.set(version);
        self.remove().await;
        version
    }
}

impl Evictable for CheckedInside {
    async fn invalidate(&self) {
        let _section = self.fence.write();
        self.remove().await;
    }
}

/// Without tokens: an entry knows whether it may be served, so a load under way needs no place to end up in.
///
/// Nobody puts an entry back. One that is gone was removed, or evicted, and is loaded anew.
struct AskedWhenFound {
    cached: Slot,
    source: Cell<u32>,
    fence: RawSeqSchedLock<Spin>,
}

impl AskedWhenFound {
    fn filled() -> Self {
        let fence = RawSeqSchedLock::new();
        let cached = Slot::default();
        let stamp = fence.read_begin().expect("no section runs");
        cached.insert(&Arc::new(Fenced::new(stamp, 1)));
        cached.hit(&fence).expect("no section ran");
        Self {
            cached,
            source: Cell::new(1),
            fence,
        }
    }

    async fn remove(&self) {
        pause("invalidation begun").await;
        self.cached.remove();
        pause("token removed").await;
    }
}

impl Cache for AskedWhenFound {
    async fn get(&self) -> u32 {
        let found = self.cached.find();
        pause("token taken").await;
        let hit = found.and_then(|entry| entry.hit(&self.fence).copied());
        if let Some(value) = hit {
            pause("value looked up").await;
            return value;
        }
        let stamp = self.fence.read_begin();
        pause("stamp taken").await;
        let value = self.source.get();
        pause("value looked up").await;
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
        let version = self.source.get() + 1;
        self.source.set(version);
        self.remove().await;
        version
    }
}

impl Evictable for AskedWhenFound {
    async fn invalidate(&self) {
        let _section = self.fence.write();
        self.remove().await;
    }
}

/// The threads are named as they are in the issue.
fn story(cache: &impl Evictable) -> u32 {
    let ledger = Ledger::default();
    let mut a = Side::new(cache.invalidate());
    let mut b = Side::new(ledger.change(cache));
    let mut c = Side::new(ledger.get(cache));

    a.until("invalidation begun");
    b.until("invalidation begun"); // the source has changed
    c.until("value looked up"); // the old one, behind the old token
    a.until("token removed");
    b.finish(); // finds no token, has nothing more to do
    c.finish(); // puts the old token back, if nothing tells it not to
    alone(ledger.get(cache)); // after B's invalidation has completed
    a.finish();
    ledger.stale()
}

/// The same three threads in every order.
fn explore<C: Evictable>(new: impl Fn() -> C) -> Orders {
    every_order(|order: &mut Order| {
        let (cache, ledger) = (new(), Ledger::default());
        order.play([
            Side::new(cache.invalidate()),
            Side::new(async {
                ledger.change(&cache).await;
                ledger.get(&cache).await;
            }),
            Side::new(ledger.get(&cache)),
        ]);
        alone(ledger.get(&cache));
        ledger.stale()
    })
}

#[test]
fn counting_at_one_end_serves_what_was_invalidated() {
    assert_eq!(story(&CountedAtOneEnd::filled()), 1);
    assert!(explore(CountedAtOneEnd::filled).stale > 0);
}

#[test]
fn fenced_never_does() {
    assert_eq!(story(&CheckedInside::filled()), 0);
    assert_eq!(story(&AskedWhenFound::filled()), 0);
}

#[test]
fn fenced_never_does_in_any_order() {
    let orders = explore(CheckedInside::filled);
    assert_eq!(orders.stale, 0, "{orders:?}");
    let orders = explore(AskedWhenFound::filled);
    assert_eq!(orders.stale, 0, "{orders:?}");
}
