//! A reply that is cached after its invalidation: <https://github.com/redis-rs/redis-rs/pull/2526>.
//!
//! A client caches what the server replies, and the server tells it when a key has changed. Reply and invalidation
//! come on one connection, in order. But the task that reads the connection handles the invalidation itself, at
//! once, and hands the reply to the task that asked, which puts it into the cache whenever it runs again.

use core::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;

use seqschedlock::{Fenced, RawSeqSchedLock, Spin};

use super::slot::Slot;
use super::stage::{Cache, Ledger, Side, alone, every_order_of, pause};

/// The server, and the connection on which it sends invalidations.
struct Server {
    value: Cell<u32>,
    invalidations: RefCell<VecDeque<u32>>,
}

impl Server {
    fn new() -> Self {
        Self {
            value: Cell::new(1),
            invalidations: RefCell::default(),
        }
    }

    fn get(&self) -> u32 {
        self.value.get()
    }

    /// Changes the value, for any client, and sends an invalidation.
    fn set(&self) -> u32 {
        let version = self.value.get() + 1;
        self.value.set(version);
        self.invalidations.borrow_mut().push_back(version);
        version
    }

    fn invalidation(&self) {
        self.invalidations
            .borrow_mut()
            .pop_front()
            .expect("each change sends one");
    }
}

/// As it was written.
struct CachedWhenItRuns {
    cached: Cell<Option<u32>>,
    server: Server,
}

impl CachedWhenItRuns {
    fn empty() -> Self {
        Self {
            cached: Cell::new(None),
            server: Server::new(),
        }
    }
}

impl Cache for CachedWhenItRuns {
    async fn get(&self) -> u32 {
        if let Some(value) = self.cached.get() {
            return value;
        }
        pause("asked").await;
        let reply = self.server.get();
        pause("reply handed over").await;
        self.cached.set(Some(reply));
        reply
    }

    /// The change, somewhere; then the task that reads the connection.
    async fn change(&self) -> u32 {
        let version = self.server.set();
        pause("invalidation sent").await;
        self.server.invalidation();
        self.cached.set(None);
        version
    }
}

/// Fenced: the stamp is taken before the server is asked, and handling an invalidation is a write section.
///
/// The server changes outside the section, which begins when the client is told. That is early enough here: an old
/// reply precedes its invalidation on the connection, so a caller that gets one took its stamp before the section
/// began.
struct WithFence {
    cached: Slot,
    server: Server,
    fence: RawSeqSchedLock<Spin>,
}

impl WithFence {
    fn empty() -> Self {
        Self {
            cached: Slot::default(),
            server: Server::new(),
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
        pause("asked").await;
        let reply = self.server.get();
        pause("reply handed over").await;
        if let Ok(stamp) = stamp {
            let entry = Arc::new(Fenced::new(stamp, reply));
            self.cached.insert(&entry);
            pause("published").await;
            entry.hit(&self.fence);
        }
        reply
    }

    async fn change(&self) -> u32 {
        let version = self.server.set();
        pause("invalidation sent").await;
        self.server.invalidation();
        let _section = self.fence.write();
        pause("section begun").await;
        self.cached.remove();
        pause("removed").await;
        version
    }
}

fn story(cache: &impl Cache) -> u32 {
    let ledger = Ledger::default();
    let mut caller = Side::new(ledger.get(cache));
    let connection = Side::new(ledger.change(cache));

    caller.until("reply handed over"); // the old value
    connection.finish(); // the invalidation finds nothing to remove
    caller.finish(); // caches the reply
    alone(ledger.get(cache));
    ledger.stale()
}

#[test]
fn a_reply_cached_when_its_task_runs_serves_what_was_invalidated() {
    assert_eq!(story(&CachedWhenItRuns::empty()), 1);
    assert!(every_order_of(CachedWhenItRuns::empty).stale > 0);
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
