//! An async cache that runs one load for many waiters (moka), fenced.
//!
//! Loads may fail, callers may give up at any moment, and an update finishes whether or not its caller waits. No user
//! that `get` returns is older than an update that had returned before `get` was called.
//!
//! ```text
//! cargo run --release --example fenced_moka_future
//! ```

// readme[
use std::{io, sync::Arc};

use moka::future::Cache;
use seqschedlock::{Fenced, Park, StripedSeqSchedLock};
// readme]
use rig::{Database, Seen, User};

// readme[

struct Users {
    cache: Cache<u64, Arc<Fenced<Arc<User>>>>,
    fences: StripedSeqSchedLock<Park>,
    database: Database,
}

#[rustfmt::skip]
impl Users {
    async fn get(&self, id: u64) -> Result<Arc<User>, Arc<io::Error>> {
        let fence = self.fences.for_key(&id);
        loop {
            if let Some(entry) = self.cache.get(&id).await {
                if let Some(user) = entry.hit(fence) { return Ok(user.clone()); }
                self.cache.invalidate(&id).await; // its load overlapped an update: never a hit
            }
            let loaded = self.cache.try_get_with(id, async {
                let stamp = fence.read_begin_async().await; // inside the load, before the query
                self.database.load(id).await.map(|user| Arc::new(Fenced::new(stamp, Arc::new(user))))
            }).await?;
            if let Some(user) = loaded.fresh(fence) {
                if let Some(entry) = self.cache.get(&id).await { entry.hit(fence); } // a hit from now on
                return Ok(user.clone());
            }
        }
    }

    async fn rename(self: Arc<Self>, id: u64, name: String) -> io::Result<User> {
        tokio::spawn(async move { // a task of its own: it finishes even if the caller gives up
            let _section = self.fences.for_key(&id).write(); // around both: the removal and the change
            self.cache.invalidate(&id).await;
            self.database.rename(id, &name).await
        }).await?
    }
}
// readme]

impl rig::Awaited for Users {
    fn new(database: Database) -> Self {
        Self {
            cache: Cache::new(10_000),
            fences: StripedSeqSchedLock::new(),
            database,
        }
    }

    async fn get(&self, id: u64) -> Option<Seen> {
        let user = Users::get(self, id).await.ok()?;
        Some(user.seen())
    }

    async fn hit(&self, id: u64) -> Option<Seen> {
        let entry = self.cache.get(&id).await?;
        let user = Arc::clone(entry.hit(self.fences.for_key(&id))?);
        Some(user.seen())
    }

    async fn rename(self: Arc<Self>, id: u64, name: String) -> Option<Seen> {
        let user = Users::rename(self, id, name).await.ok()?;
        Some(user.seen())
    }
}

/// The way the documentation of many caches shows it.
mod usual {
    use super::*;

    pub struct Users {
        cache: Cache<u64, Arc<User>>,
        database: Database,
    }

    impl rig::Awaited for Users {
        fn new(database: Database) -> Self {
            Self {
                cache: Cache::new(10_000),
                database,
            }
        }

        async fn get(&self, id: u64) -> Option<Seen> {
            let load = async { self.database.load(id).await.map(Arc::new) };
            let user = self.cache.try_get_with(id, load).await.ok()?;
            Some(user.seen())
        }

        async fn hit(&self, id: u64) -> Option<Seen> {
            Some(self.cache.get(&id).await?.seen())
        }

        async fn rename(self: Arc<Self>, id: u64, name: String) -> Option<Seen> {
            let user = self.database.rename(id, &name).await.ok()?;
            self.cache.invalidate(&id).await;
            Some(user.seen())
        }
    }
}

pub(crate) const CACHE: rig::Comparison = rig::awaited::<usual::Users, Users>("moka::future");

fn main() -> std::process::ExitCode {
    rig::main(&[CACHE])
}
