//! A concurrent map as a cache (DashMap), fenced: the check runs inside the map's own lock for the key.
//!
//! ```text
//! cargo run --release --example fenced_dashmap
//! ```

use std::{io, sync::Arc};

use dashmap::DashMap;
use rig::{BlockingDatabase, Seen, User};
use seqschedlock::{Park, StripedSeqSchedLock};

struct Users {
    cache: DashMap<u64, Arc<User>>,
    fences: StripedSeqSchedLock<Park>,
    database: BlockingDatabase,
}

impl Users {
    fn get(&self, id: u64) -> io::Result<Arc<User>> {
        if let Some(user) = self.cache.get(&id) {
            return Ok(Arc::clone(&user));
        }
        // Hold no guard of the map from here on: an update would wait for it, and this call for the update.
        let fence = self.fences.for_key(&id);
        let stamp = fence.read_begin_wait(); // before the query
        let user = Arc::new(self.database.load(id)?);
        let place = self.cache.entry(id); // locked
        if fence.read_end(stamp).is_ok() {
            place.insert(Arc::clone(&user));
        }
        Ok(user) // loaded by this very call: new enough for it, kept for others only if nothing overlapped
    }

    fn rename(&self, id: u64, name: &str) -> io::Result<User> {
        let _section = self.fences.for_key(&id).write(); // around both: the removal and the change
        self.cache.remove(&id);
        self.database.rename(id, name)
    }
}

impl rig::Blocking for Users {
    fn new(database: BlockingDatabase) -> Self {
        Self {
            cache: DashMap::new(),
            fences: StripedSeqSchedLock::new(),
            database,
        }
    }

    fn get(&self, id: u64) -> Option<Seen> {
        Some(Users::get(self, id).ok()?.seen())
    }

    fn hit(&self, id: u64) -> Option<Seen> {
        let user = self.cache.get(&id).map(|user| Arc::clone(&user))?;
        Some(user.seen())
    }

    fn rename(&self, id: u64, name: &str) -> Option<Seen> {
        Some(Users::rename(self, id, name).ok()?.seen())
    }
}

/// The way people write it.
mod usual {
    use super::*;

    pub struct Users {
        cache: DashMap<u64, Arc<User>>,
        database: BlockingDatabase,
    }

    impl rig::Blocking for Users {
        fn new(database: BlockingDatabase) -> Self {
            Self {
                cache: DashMap::new(),
                database,
            }
        }

        fn get(&self, id: u64) -> Option<Seen> {
            let found = self.cache.get(&id).map(|user| Arc::clone(&user));
            if let Some(user) = found {
                return Some(user.seen());
            }
            let user = Arc::new(self.database.load(id).ok()?);
            self.cache.insert(id, Arc::clone(&user));
            Some(user.seen())
        }

        fn hit(&self, id: u64) -> Option<Seen> {
            let user = self.cache.get(&id).map(|user| Arc::clone(&user))?;
            Some(user.seen())
        }

        fn rename(&self, id: u64, name: &str) -> Option<Seen> {
            let user = self.database.rename(id, name).ok()?;
            self.cache.remove(&id);
            Some(user.seen())
        }
    }
}

pub(crate) const CACHE: rig::Comparison = rig::blocking::<usual::Users, Users>("DashMap");

fn main() -> std::process::ExitCode {
    rig::main(&[CACHE])
}
