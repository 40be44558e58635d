//! A map under its own lock, fenced: the check runs inside that lock, and no entry type is needed.
//!
//! ```text
//! cargo run --release --example fenced_map
//! ```

// readme[
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use seqschedlock::{Park, StripedSeqSchedLock};
// readme]
use rig::{BlockingDatabase, Seen, User};

// readme[

struct Users {
    cache: Mutex<HashMap<u64, Arc<User>>>,
    fences: StripedSeqSchedLock<Park>,
    database: BlockingDatabase,
}

#[rustfmt::skip]
impl Users {
    fn get(&self, id: u64) -> io::Result<Arc<User>> {
        if let Some(user) = self.cache.lock().unwrap().get(&id) { return Ok(user.clone()); }

        let fence = self.fences.for_key(&id);
        let stamp = fence.read_begin_wait(); // before the query
        let user = Arc::new(self.database.load(id)?);
        let mut cache = self.cache.lock().unwrap();
        if fence.read_end(stamp).is_ok() { cache.insert(id, user.clone()); }
        Ok(user) // loaded by this very call: new enough for it, kept for others only if nothing overlapped
    }

    fn rename(&self, id: u64, name: &str) -> io::Result<User> {
        let _section = self.fences.for_key(&id).write(); // around both: the removal and the change
        self.cache.lock().unwrap().remove(&id);
        self.database.rename(id, name)
    }
}
// readme]

impl rig::Blocking for Users {
    fn new(database: BlockingDatabase) -> Self {
        Self {
            cache: Mutex::default(),
            fences: StripedSeqSchedLock::new(),
            database,
        }
    }

    fn get(&self, id: u64) -> Option<Seen> {
        Some(Users::get(self, id).ok()?.seen())
    }

    fn hit(&self, id: u64) -> Option<Seen> {
        let user = self.cache.lock().unwrap().get(&id).cloned()?;
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
        cache: Mutex<HashMap<u64, Arc<User>>>,
        database: BlockingDatabase,
    }

    impl rig::Blocking for Users {
        fn new(database: BlockingDatabase) -> Self {
            Self {
                cache: Mutex::default(),
                database,
            }
        }

        fn get(&self, id: u64) -> Option<Seen> {
            let found = self.cache.lock().unwrap().get(&id).cloned();
            if let Some(user) = found {
                return Some(user.seen());
            }
            let user = Arc::new(self.database.load(id).ok()?);
            self.cache.lock().unwrap().insert(id, Arc::clone(&user));
            Some(user.seen())
        }

        fn hit(&self, id: u64) -> Option<Seen> {
            let user = self.cache.lock().unwrap().get(&id).cloned()?;
            Some(user.seen())
        }

        fn rename(&self, id: u64, name: &str) -> Option<Seen> {
            let user = self.database.rename(id, name).ok()?;
            self.cache.lock().unwrap().remove(&id);
            Some(user.seen())
        }
    }
}

pub(crate) const CACHE: rig::Comparison = rig::blocking::<usual::Users, Users>("Mutex<HashMap>");

fn main() -> std::process::ExitCode {
    rig::main(&[CACHE])
}
