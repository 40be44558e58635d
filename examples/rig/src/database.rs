//! Where the users are: far away, so that a request and its answer each take a while.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A row.
#[derive(Debug, Clone)]
pub struct User {
    /// What updates change.
    pub name: String,
    /// How many updates came before.
    pub version: u64,
    /// Which load of the database it came from.
    load: u64,
}

impl User {
    /// What the rig needs to know about a row that a cache serves.
    #[must_use]
    pub fn seen(&self) -> Seen {
        Seen {
            version: self.version,
            load: self.load,
        }
    }
}

/// Which version was served, and from which load.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub(crate) version: u64,
    pub(crate) load: u64,
}

/// The longest time that a request or an answer takes.
const LONGEST_WAY: Duration = Duration::from_millis(1);
/// One request in this many fails.
const FAILURES: u32 = 64;

fn way() -> Duration {
    LONGEST_WAY.mul_f64(fastrand::f64())
}

fn fails() -> bool {
    fastrand::u32(..FAILURES) == 0
}

fn lost() -> io::Error {
    io::Error::other("the connection to the database was lost")
}

#[derive(Debug)]
struct Row {
    name: String,
    version: u64,
}

#[derive(Debug)]
struct Table {
    rows: Box<[Mutex<Row>]>,
    loads: AtomicU64,
    answered: AtomicU64,
    changing: AtomicU64,
}

impl Table {
    fn new(keys: u64) -> Self {
        let row = |key| Row {
            name: format!("user {key}"),
            version: 0,
        };
        Self {
            rows: (0..keys).map(|key| Mutex::new(row(key))).collect(),
            loads: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            changing: AtomicU64::new(0),
        }
    }

    fn read(&self, id: u64) -> (String, u64) {
        let row = self.row(id).lock().unwrap_or_else(PoisonError::into_inner);
        (row.name.clone(), row.version)
    }

    fn change(&self, id: u64, name: &str) -> User {
        let mut row = self.row(id).lock().unwrap_or_else(PoisonError::into_inner);
        name.clone_into(&mut row.name);
        row.version += 1;
        User {
            name: row.name.clone(),
            version: row.version,
            load: u64::MAX,
        }
    }

    fn row(&self, id: u64) -> &Mutex<Row> {
        let id = usize::try_from(id).expect("there are not that many users");
        &self.rows[id]
    }

    fn load_begun(&self) {
        self.loads.fetch_add(1, Ordering::Relaxed);
        // Fails for a load that the rig does not measure.
        let _ = LOADED.try_with(|loaded| loaded.set(true));
    }

    fn answer(&self, (name, version): (String, u64)) -> User {
        let load = self.answered.fetch_add(1, Ordering::Relaxed) + 1;
        User {
            name,
            version,
            load,
        }
    }
}

tokio::task_local! {
    /// Whether the running get has asked the database itself.
    pub(crate) static LOADED: Cell<bool>;
}

/// An async database.
#[derive(Debug, Clone)]
pub struct Database(Arc<Table>);

impl Database {
    pub(crate) fn new(keys: u64) -> Self {
        Self(Arc::new(Table::new(keys)))
    }

    /// The user as it is at some moment between call and answer.
    ///
    /// # Errors
    ///
    /// Now and then, the connection was lost.
    pub async fn load(&self, id: u64) -> io::Result<User> {
        self.0.load_begun();
        tokio::time::sleep(way()).await;
        let row = self.0.read(id);
        tokio::time::sleep(way()).await;
        if fails() {
            return Err(lost());
        }
        Ok(self.0.answer(row))
    }

    /// Changes the name, and returns the changed row.
    ///
    /// Once it has begun, the change takes effect, whether or not the caller still waits for the answer.
    ///
    /// # Errors
    ///
    /// Now and then, the connection was lost, with the request or with the answer.
    ///
    /// # Panics
    ///
    /// If the runtime ends meanwhile.
    pub async fn rename(&self, id: u64, name: &str) -> io::Result<User> {
        let (table, name) = (Arc::clone(&self.0), name.to_owned());
        table.changing.fetch_add(1, Ordering::Relaxed);
        let request = tokio::spawn(async move {
            tokio::time::sleep(way()).await;
            let changed = (!fails()).then(|| table.change(id, &name));
            table.changing.fetch_sub(1, Ordering::Relaxed);
            tokio::time::sleep(way()).await;
            changed.filter(|_| !fails()).ok_or_else(lost)
        });
        request.await.expect("the runtime goes on")
    }

    pub(crate) fn counts(&self) -> Counts<'_> {
        Counts(&self.0)
    }
}

/// The same for threads.
#[derive(Debug, Clone)]
pub struct BlockingDatabase(Arc<Table>);

impl BlockingDatabase {
    pub(crate) fn new(keys: u64) -> Self {
        Self(Arc::new(Table::new(keys)))
    }

    /// As [`Database::load`].
    ///
    /// # Errors
    ///
    /// Now and then, the connection was lost.
    pub fn load(&self, id: u64) -> io::Result<User> {
        self.0.load_begun();
        thread::sleep(way());
        let row = self.0.read(id);
        thread::sleep(way());
        if fails() {
            return Err(lost());
        }
        Ok(self.0.answer(row))
    }

    /// As [`Database::rename`].
    ///
    /// # Errors
    ///
    /// Now and then, the connection was lost, with the request or with the answer.
    pub fn rename(&self, id: u64, name: &str) -> io::Result<User> {
        thread::sleep(way());
        let changed = (!fails()).then(|| self.0.change(id, name));
        thread::sleep(way());
        changed.filter(|_| !fails()).ok_or_else(lost)
    }

    pub(crate) fn counts(&self) -> Counts<'_> {
        Counts(&self.0)
    }
}

/// What the rig asks a database.
pub(crate) struct Counts<'a>(&'a Table);

impl Counts<'_> {
    /// How many loads have begun.
    pub(crate) fn loads(&self) -> u64 {
        self.0.loads.load(Ordering::Relaxed)
    }

    /// The newest load that has been answered: a value from it, or from an older one, was there already.
    pub(crate) fn answered(&self) -> u64 {
        self.0.answered.load(Ordering::Relaxed)
    }

    /// How many changes have yet to take effect.
    pub(crate) fn changing(&self) -> u64 {
        self.0.changing.load(Ordering::Relaxed)
    }

    pub(crate) fn version(&self, id: u64) -> u64 {
        self.0.read(id).1
    }
}
