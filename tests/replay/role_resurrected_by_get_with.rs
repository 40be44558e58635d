//! A revoked role resurrected by `get_with`: <https://github.com/lakekeeper/lakekeeper/pull/1843>.
//!
//! A load that had read a user's roles before a revocation was committed inserted them after the cache
//! had been invalidated: moka serialises loads with one another, not with `invalidate`.

use core::future::Future;
use std::sync::{Arc, Mutex};

use moka::future::Cache;
use seqschedlock::{Fenced, Park, RawSeqSchedLock};
use tokio::sync::oneshot;

use super::stage::in_time;

const USER: &str = "peter";

type Roles = Arc<[&'static str]>;

/// The committed truth: Peter is an admin until that is revoked.
struct Database {
    roles: Mutex<Roles>,
}

impl Database {
    fn new() -> Self {
        Self {
            roles: Mutex::new(Arc::new(["reader", "admin"])),
        }
    }

    async fn roles(&self) -> Roles {
        Arc::clone(&self.roles.lock().unwrap())
    }

    async fn revoke(&self) {
        *self.roles.lock().unwrap() = Arc::new(["reader"]);
    }
}

/// A query whose answer is held up on the way back, until the test lets it go.
struct Held {
    read: oneshot::Sender<()>,
    release: oneshot::Receiver<()>,
}

/// The service: a cache of roles in front of the database.
trait Service: Send + Sync + 'static {
    /// The roles of the user. The first query, if it comes to one, is held up as `held` says.
    fn roles(&self, held: Option<Held>) -> impl Future<Output = Roles> + Send;

    /// Revokes the admin role. When this returns, no later check may find it.
    fn revoke(&self) -> impl Future<Output = ()> + Send;
}

async fn query(database: &Database, held: Option<Held>) -> Roles {
    let roles = database.roles().await;
    if let Some(Held { read, release }) = held {
        read.send(()).unwrap();
        release.await.unwrap();
    }
    roles
}

/// As it was written, and as the documentation of many caches shows it.
struct GetWith {
    cache: Cache<&'static str, Roles>,
    database: Database,
}

impl GetWith {
    fn new() -> Self {
        Self {
            cache: Cache::new(100),
            database: Database::new(),
        }
    }
}

impl Service for GetWith {
    async fn roles(&self, held: Option<Held>) -> Roles {
        self.cache.get_with(USER, query(&self.database, held)).await
    }

    async fn revoke(&self) {
        self.database.revoke().await;
        self.cache.invalidate(USER).await;
    }
}

/// Fenced: the revocation is a write section. It neither waits for loads nor is undone by one.
struct WithFence {
    cache: Cache<&'static str, Arc<Fenced<Roles>>>,
    database: Database,
    fence: RawSeqSchedLock<Park>,
}

impl WithFence {
    fn new() -> Self {
        Self {
            cache: Cache::new(100),
            database: Database::new(),
            fence: RawSeqSchedLock::new(),
        }
    }
}

impl Service for WithFence {
    async fn roles(&self, mut held: Option<Held>) -> Roles {
        loop {
            if let Some(entry) = self.cache.get(USER).await {
                if let Some(roles) = entry.hit(&self.fence) {
                    return Arc::clone(roles);
                }
                self.cache.invalidate(USER).await;
            }
            let load = async {
                let stamp = self.fence.read_begin_async().await;
                Arc::new(Fenced::new(stamp, query(&self.database, held.take()).await))
            };
            let loaded = self.cache.get_with(USER, load).await;
            if let Some(roles) = loaded.fresh(&self.fence) {
                if let Some(entry) = self.cache.get(USER).await {
                    entry.hit(&self.fence);
                }
                return Arc::clone(roles);
            }
        }
    }

    async fn revoke(&self) {
        let _section = self.fence.write();
        self.cache.invalidate(USER).await;
        self.database.revoke().await;
    }
}

/// The answer to a check that begins after the revocation is complete.
async fn story(service: impl Service) -> Roles {
    let service = Arc::new(service);
    let (read, has_read) = oneshot::channel();
    let (go, release) = oneshot::channel();

    let early = tokio::spawn({
        let service = Arc::clone(&service);
        async move { service.roles(Some(Held { read, release })).await }
    });
    has_read.await.unwrap(); // the roles as they were
    service.revoke().await; // committed and invalidated, while the load is under way
    go.send(()).unwrap();
    early.await.unwrap(); // overlapped the revocation: may have been told either
    service.roles(None).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_with_serves_a_revoked_role() {
    assert!(in_time(story(GetWith::new())).await.contains(&"admin"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fenced_never_does() {
    assert!(!in_time(story(WithFence::new())).await.contains(&"admin"));
}
