//! An async cache that hands out guards for missing entries (quick_cache), fenced.
//!
//! quick_cache 0.7 goes half the way by itself. A load has a placeholder in the cache, `remove` removes that too,
//! and what the load then inserts is refused. So "change, then remove" serves nothing stale, as long as the removal
//! always follows. It does not follow when an update fails, or its caller gives up, after its change has taken
//! effect. "Remove, then change" has no such gap, but lets in a load that begins between the two. Fenced, it does
//! not.
//!
//! ```text
//! cargo run --release --example fenced_quick_cache
//! ```

use std::{io, sync::Arc};

use quick_cache::sync::Cache;
use rig::{Database, Seen, User};
use seqschedlock::{Fenced, Park, StripedSeqSchedLock};

type Entry = Arc<Fenced<User>>;

struct Users {
    cache: Cache<u64, Entry>,
    fences: StripedSeqSchedLock<Park>,
    database: Database,
}

impl Users {
    async fn get(&self, id: u64) -> io::Result<Entry> {
        loop {
            if let Some(entry) = self.cache.get(&id) {
                if entry.hit(self.fences.for_key(&id)).is_some() {
                    return Ok(entry);
                }
                // Its load overlapped an update: never a hit. (`remove` would end a load that has begun since.)
                let is_it = |there: &Entry| Arc::ptr_eq(there, &entry);
                self.cache.remove_if(&id, is_it);
            }
            let fence = self.fences.for_key(&id);
            match self.cache.get_value_or_guard_async(&id).await {
                Ok(entry) if entry.fresh(fence).is_some() => return Ok(entry),
                Ok(_) => {}
                Err(guard) => {
                    let stamp = fence.read_begin_async().await; // with the guard, before the query
                    let entry = Arc::new(Fenced::new(stamp, self.database.load(id).await?));
                    if guard.insert(Arc::clone(&entry)).is_ok() {
                        entry.hit(fence); // a hit from now on
                    }
                    return Ok(entry); // loaded by this very call: new enough for it
                }
            }
        }
    }

    async fn rename(self: Arc<Self>, id: u64, name: String) -> io::Result<User> {
        tokio::spawn(async move {
            let _section = self.fences.for_key(&id).write();
            self.cache.remove(&id);
            self.database.rename(id, &name).await
        })
        .await?
    }
}

impl rig::Awaited for Users {
    fn new(database: Database) -> Self {
        Self {
            cache: Cache::new(10_000),
            fences: StripedSeqSchedLock::new(),
            database,
        }
    }

    async fn get(&self, id: u64) -> Option<Seen> {
        let entry = Users::get(self, id).await.ok()?;
        Some(entry.unvalidated().seen())
    }

    async fn hit(&self, id: u64) -> Option<Seen> {
        let entry = self.cache.get(&id)?;
        Some(entry.hit(self.fences.for_key(&id))?.seen())
    }

    async fn rename(self: Arc<Self>, id: u64, name: String) -> Option<Seen> {
        let user = Users::rename(self, id, name).await.ok()?;
        Some(user.seen())
    }
}

/// The way its documentation shows it.
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
            let user = self.cache.get_or_insert_async(&id, load).await.ok()?;
            Some(user.seen())
        }

        async fn hit(&self, id: u64) -> Option<Seen> {
            Some(self.cache.get(&id)?.seen())
        }

        async fn rename(self: Arc<Self>, id: u64, name: String) -> Option<Seen> {
            let user = self.database.rename(id, &name).await.ok()?;
            self.cache.remove(&id);
            Some(user.seen())
        }
    }
}

pub(crate) const CACHE: rig::Comparison = rig::awaited::<usual::Users, Users>("quick_cache");

fn main() -> std::process::ExitCode {
    rig::main(&[CACHE])
}
