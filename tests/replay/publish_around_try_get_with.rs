//! `publish` around a cache that runs one load for many waiters: the trap that its documentation names.
//!
//! It looks like the obvious way to fence such a cache. But the stamp belongs to the waiter, not to the load that
//! it waits for: a get takes its stamp after an update, joins a load that began before it, and commits that.

use core::future::Future;
use std::io;
use std::sync::{Arc, Mutex};

use moka::future::Cache;
use seqschedlock::{Fenced, Park, RawSeqSchedLock};
use tokio::sync::oneshot;

use super::stage::{begun, in_time};

const KEY: u32 = 7;

type Loaded = Result<u32, Arc<io::Error>>;

/// The values are versions.
struct Database(Mutex<u32>);

impl Database {
    fn new() -> Self {
        Self(Mutex::new(1))
    }

    /// An answer that is held up on the way back, if `held` says so, until the test lets it go.
    async fn load(&self, held: Option<Held>) -> io::Result<u32> {
        let version = *self.0.lock().unwrap();
        if let Some(Held { read, release }) = held {
            read.send(()).unwrap();
            release.await.unwrap();
        }
        Ok(version)
    }

    async fn store(&self) {
        *self.0.lock().unwrap() += 1;
    }
}

struct Held {
    read: oneshot::Sender<()>,
    release: oneshot::Receiver<()>,
}

trait Service: Send + Sync + 'static {
    /// The current version. The first load, if it comes to one, is held up as `held` says.
    fn get(&self, held: Option<Held>) -> impl Future<Output = Loaded> + Send;

    /// Stores the next version.
    fn update(&self) -> impl Future<Output = ()> + Send;
}

/// The stamp around the cache.
struct PublishAround {
    cache: Cache<u32, u32>,
    database: Database,
    fence: RawSeqSchedLock<Park>,
}

impl PublishAround {
    fn new() -> Self {
        Self {
            cache: Cache::new(100),
            database: Database::new(),
            fence: RawSeqSchedLock::new(),
        }
    }
}

impl Service for PublishAround {
    async fn get(&self, held: Option<Held>) -> Loaded {
        let held = Mutex::new(held);
        let attempt = async || {
            let held = held.lock().unwrap().take();
            let load = self.database.load(held);
            self.cache.try_get_with(KEY, load).await
        };
        let retract = async |_| self.cache.invalidate(&KEY).await;
        self.fence.publish_async(attempt, retract).await
    }

    async fn update(&self) {
        let _section = self.fence.write();
        self.cache.invalidate(&KEY).await;
        self.database.store().await;
    }
}

/// The stamp inside the load, and in the entry.
struct StampInside {
    cache: Cache<u32, Arc<Fenced<u32>>>,
    database: Database,
    fence: RawSeqSchedLock<Park>,
}

impl StampInside {
    fn new() -> Self {
        Self {
            cache: Cache::new(100),
            database: Database::new(),
            fence: RawSeqSchedLock::new(),
        }
    }
}

impl Service for StampInside {
    async fn get(&self, mut held: Option<Held>) -> Loaded {
        loop {
            if let Some(entry) = self.cache.get(&KEY).await {
                if let Some(version) = entry.hit(&self.fence) {
                    return Ok(*version);
                }
                self.cache.invalidate(&KEY).await;
            }
            let load = async {
                let stamp = self.fence.read_begin_async().await;
                let loaded = self.database.load(held.take()).await;
                loaded.map(|version| Arc::new(Fenced::new(stamp, version)))
            };
            let loaded = self.cache.try_get_with(KEY, load).await?;
            if let Some(version) = loaded.fresh(&self.fence) {
                return Ok(*version);
            }
        }
    }

    async fn update(&self) {
        let _section = self.fence.write();
        self.cache.invalidate(&KEY).await;
        self.database.store().await;
    }
}

/// The answer to a get that begins after the update, while a load from before it is under way.
async fn story(service: impl Service) -> u32 {
    let service = Arc::new(service);
    let (read, has_read) = oneshot::channel();
    let (go, release) = oneshot::channel();

    let early = tokio::spawn({
        let service = Arc::clone(&service);
        async move { service.get(Some(Held { read, release })).await }
    });
    has_read.await.unwrap(); // the old version
    service.update().await; // finds nothing to remove
    let late = begun(service.get(None)).await; // stamps, and joins the load
    go.send(()).unwrap();
    early.await.unwrap().unwrap(); // overlapped the update: may have been told either
    late.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publish_around_it_serves_what_was_updated() {
    assert_eq!(in_time(story(PublishAround::new())).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fenced_never_does() {
    assert_eq!(in_time(story(StampInside::new())).await, 2);
}
