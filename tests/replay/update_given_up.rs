//! An update that its caller has given up, and whose query goes on: why updates run in a task of their own.
//!
//! A future that is dropped ends its section. A query that has been sent may still take effect, on a thread of
//! `spawn_blocking` or in the database. Whatever is loaded between the two is a hit, and old for good.

use core::future::{Future, poll_fn};
use core::task::Poll;
use std::sync::{Arc, Mutex};

use moka::future::Cache;
use seqschedlock::{Fenced, Park, RawSeqSchedLock};
use tokio::sync::oneshot;

use super::stage::{begun, in_time};

const KEY: u32 = 7;

/// The value is a version. Each query runs in the database, whether or not anybody waits for it.
#[derive(Clone)]
struct Database(Arc<Mutex<u32>>);

impl Database {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(1)))
    }

    fn version(&self) -> u32 {
        *self.0.lock().unwrap()
    }

    /// Takes effect when the test lets it.
    async fn store(&self, held: Held) {
        let database = self.clone();
        held.sent.send(()).unwrap();
        let query = tokio::spawn(async move {
            held.release.await.unwrap();
            *database.0.lock().unwrap() += 1;
            held.done.send(()).unwrap();
        });
        query.await.unwrap();
    }
}

struct Held {
    sent: oneshot::Sender<()>,
    release: oneshot::Receiver<()>,
    done: oneshot::Sender<()>,
}

struct Service {
    cache: Cache<u32, Arc<Fenced<u32>>>,
    database: Database,
    fence: RawSeqSchedLock<Park>,
}

impl Service {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            cache: Cache::new(100),
            database: Database::new(),
            fence: RawSeqSchedLock::new(),
        })
    }

    async fn get(&self) -> u32 {
        loop {
            if let Some(entry) = self.cache.get(&KEY).await {
                if let Some(version) = entry.hit(&self.fence) {
                    return *version;
                }
                self.cache.invalidate(&KEY).await;
            }
            let load = async {
                let stamp = self.fence.read_begin_async().await;
                Arc::new(Fenced::new(stamp, self.database.version()))
            };
            let loaded = self.cache.get_with(KEY, load).await;
            if let Some(version) = loaded.fresh(&self.fence) {
                if let Some(entry) = self.cache.get(&KEY).await {
                    entry.hit(&self.fence);
                }
                return *version;
            }
        }
    }

    async fn update(&self, held: Held) {
        let _section = self.fence.write();
        self.cache.invalidate(&KEY).await;
        self.database.store(held).await;
    }

    async fn update_in_its_own_task(self: Arc<Self>, held: Held) {
        let update = tokio::spawn(async move { self.update(held).await });
        update.await.unwrap();
    }
}

/// What is served when the query has taken effect after all.
async fn story<U: Future<Output = ()>>(update: impl FnOnce(Arc<Service>, Held) -> U) -> u32 {
    let service = Service::new();
    let (sent, is_sent) = oneshot::channel();
    let (go, release) = oneshot::channel();
    let (done, is_done) = oneshot::channel();
    let held = Held {
        sent,
        release,
        done,
    };

    let update = begun(update(Arc::clone(&service), held)).await;
    is_sent.await.unwrap();
    drop(update); // the caller gives up
    let mut early = Box::pin(service.get());
    let loaded = poll_fn(|context| Poll::Ready(early.as_mut().poll(context))).await;
    if loaded.is_pending() {
        drop(early); // waits for the update, and gives up, too
    }
    go.send(()).unwrap();
    is_done.await.unwrap();
    assert_eq!(service.database.version(), 2);
    service.get().await
}

#[tokio::test]
async fn an_update_that_ends_with_its_caller_leaves_the_old_version() {
    let update = |service: Arc<Service>, held| async move { service.update(held).await };
    assert_eq!(in_time(story(update)).await, 1);
}

#[tokio::test]
async fn an_update_in_its_own_task_never_does() {
    assert_eq!(in_time(story(Service::update_in_its_own_task)).await, 2);
}
