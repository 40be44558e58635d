//! A blocking cache that runs one load for many waiters (moka), fenced: `fenced_moka_future` for threads.
//!
//! ```text
//! cargo run --release --example fenced_moka_sync
//! ```

use std::{io, sync::Arc};

use moka::sync::Cache;
use rig::{BlockingDatabase, Seen, User};
use seqschedlock::{Fenced, Park, StripedSeqSchedLock};

struct Users {
    cache: Cache<u64, Arc<Fenced<Arc<User>>>>,
    fences: StripedSeqSchedLock<Park>,
    database: BlockingDatabase,
}

impl Users {
    fn get(&self, id: u64) -> Result<Arc<User>, Arc<io::Error>> {
        let fence = self.fences.for_key(&id);
        loop {
            if let Some(entry) = self.cache.get(&id) {
                if let Some(user) = entry.hit(fence) {
                    return Ok(user.clone());
                }
                self.cache.invalidate(&id); // its load overlapped an update: never a hit
            }
            let loaded = self.cache.try_get_with(id, || {
                let stamp = fence.read_begin_wait(); // inside the load, before the query
                let user = self.database.load(id)?;
                io::Result::Ok(Arc::new(Fenced::new(stamp, Arc::new(user))))
            })?;
            if let Some(user) = loaded.fresh(fence) {
                if let Some(entry) = self.cache.get(&id) {
                    entry.hit(fence); // a hit from now on
                }
                return Ok(user.clone());
            }
        }
    }

    fn rename(&self, id: u64, name: &str) -> io::Result<User> {
        let _section = self.fences.for_key(&id).write(); // around both: the removal and the change
        self.cache.invalidate(&id);
        self.database.rename(id, name)
    }
}

impl rig::Blocking for Users {
    fn new(database: BlockingDatabase) -> Self {
        Self {
            cache: Cache::new(10_000),
            fences: StripedSeqSchedLock::new(),
            database,
        }
    }

    fn get(&self, id: u64) -> Option<Seen> {
        Some(Users::get(self, id).ok()?.seen())
    }

    fn hit(&self, id: u64) -> Option<Seen> {
        let entry = self.cache.get(&id)?;
        let user = Arc::clone(entry.hit(self.fences.for_key(&id))?);
        Some(user.seen())
    }

    fn rename(&self, id: u64, name: &str) -> Option<Seen> {
        Some(Users::rename(self, id, name).ok()?.seen())
    }
}

/// The way the documentation of many caches shows it.
mod usual {
    use super::*;

    pub struct Users {
        cache: Cache<u64, Arc<User>>,
        database: BlockingDatabase,
    }

    impl rig::Blocking for Users {
        fn new(database: BlockingDatabase) -> Self {
            Self {
                cache: Cache::new(10_000),
                database,
            }
        }

        fn get(&self, id: u64) -> Option<Seen> {
            let load = || self.database.load(id).map(Arc::new);
            Some(self.cache.try_get_with(id, load).ok()?.seen())
        }

        fn hit(&self, id: u64) -> Option<Seen> {
            Some(self.cache.get(&id)?.seen())
        }

        fn rename(&self, id: u64, name: &str) -> Option<Seen> {
            let user = self.database.rename(id, name).ok()?;
            self.cache.invalidate(&id);
            Some(user.seen())
        }
    }
}

pub(crate) const CACHE: rig::Comparison = rig::blocking::<usual::Users, Users>("moka::sync");

fn main() -> std::process::ExitCode {
    rig::main(&[CACHE])
}
