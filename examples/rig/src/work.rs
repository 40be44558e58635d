//! The work: many threads or tasks get and rename the same few users for a while.

use core::cell::Cell;
use core::future::Future;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::database::{BlockingDatabase, Counts, Database, LOADED, Seen};
use crate::hits::{self, Hit};

/// A blocking cache in front of a database.
pub trait Blocking: Send + Sync + 'static {
    /// An empty cache.
    fn new(database: BlockingDatabase) -> Self;

    /// What the cache serves; `None` if the load failed.
    fn get(&self, id: u64) -> Option<Seen>;

    /// What a lookup finds that may be served, without ever loading: measures the cost of a hit.
    fn hit(&self, id: u64) -> Option<Seen>;

    /// Renames a user; `None` if that failed, with or without effect.
    fn rename(&self, id: u64, name: &str) -> Option<Seen>;
}

/// An async cache in front of a database. Any of its futures may be dropped at any await.
pub trait Awaited: Send + Sync + 'static {
    /// An empty cache.
    fn new(database: Database) -> Self;

    /// As [`Blocking::get`].
    fn get(&self, id: u64) -> impl Future<Output = Option<Seen>> + Send;

    /// As [`Blocking::hit`].
    fn hit(&self, id: u64) -> impl Future<Output = Option<Seen>> + Send;

    /// As [`Blocking::rename`].
    fn rename(self: Arc<Self>, id: u64, name: String) -> impl Future<Output = Option<Seen>> + Send;
}

/// A cache the usual way, and the same cache fenced.
#[derive(Debug, Clone, Copy)]
pub struct Comparison {
    pub(crate) name: &'static str,
    pub(crate) usual: fn(&Workload, &str) -> Counted,
    pub(crate) fenced: fn(&Workload, &str) -> Counted,
    pub(crate) hits: fn(&Workload) -> Hit,
}

/// Compares two blocking caches.
#[must_use]
pub const fn blocking<U: Blocking, F: Blocking>(name: &'static str) -> Comparison {
    Comparison {
        name,
        usual: measure_blocking::<U>,
        fenced: measure_blocking::<F>,
        hits: hits::blocking::<U, F>,
    }
}

/// Compares two async caches.
#[must_use]
pub const fn awaited<U: Awaited, F: Awaited>(name: &'static str) -> Comparison {
    Comparison {
        name,
        usual: measure_awaited::<U>,
        fenced: measure_awaited::<F>,
        hits: hits::awaited::<U, F>,
    }
}

/// Who does what for how long, the same for each cache.
#[derive(Debug)]
pub struct Workload {
    pub(crate) threads: u16,
    pub(crate) keys: u64,
    /// Updates per second.
    pub(crate) updates: u32,
    pub(crate) time: Duration,
    pub(crate) seed: u64,
    /// Whether to show progress.
    pub(crate) progress: bool,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Workload {
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn begin(&self) -> Arc<Run> {
        Arc::new(Run {
            end: Instant::now() + self.time,
            stop: Arc::clone(&self.stop),
            keys: self.keys,
            updates: self.updates,
            seed: self.seed,
            ledger: Ledger((0..self.keys).map(|_| AtomicU64::new(0)).collect()),
        })
    }

    /// Waits for the end of a run and, on a terminal, shows progress.
    fn watch(&self, name: &str, run: &Run) {
        const LOOK: Duration = Duration::from_millis(100);

        let mut shown = None;
        while !run.over() {
            let left = run.end.saturating_duration_since(Instant::now());
            let seconds = left.as_secs_f64().ceil();
            if self.progress && shown.replace(seconds) != Some(seconds) {
                eprint!("\r{name}: {seconds} s to go ");
            }
            thread::sleep(left.min(LOOK));
        }
        if self.progress {
            eprint!("\r{:<60}\r", "");
        }
    }
}

/// A runtime with as many threads as there are cores.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_time()
        .build()
        .expect("a runtime can be started")
}

fn measure_blocking<C: Blocking>(workload: &Workload, name: &str) -> Counted {
    let database = BlockingDatabase::new(workload.keys);
    let cache = C::new(database.clone());
    let run = workload.begin();
    let read = |worker| {
        let mut counted = Counted::default();
        for Get { id, .. } in run.gets(worker) {
            let getting = run.getting(id, database.counts());
            let get = || (cache.get(id), LOADED.with(Cell::get));
            let (seen, loaded) = LOADED.sync_scope(Cell::new(false), get);
            counted.got(&getting, seen, loaded);
        }
        counted
    };
    let update = |worker| {
        let mut counted = Counted::default();
        for Rename { at, id, name, .. } in run.renames(worker) {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            let renamed = cache.rename(id, &name);
            run.renamed(id, renamed, &mut counted);
        }
        counted
    };
    let mut counted = thread::scope(|threads| {
        let (read, update) = (&read, &update);
        let readers = (0..workload.threads).map(|worker| threads.spawn(move || read(worker)));
        let writers = (0..WRITERS).map(|worker| threads.spawn(move || update(worker)));
        let workers: Vec<_> = readers.chain(writers).collect();
        workload.watch(name, &run);
        let counts = workers.into_iter().map(|worker| worker.join());
        Counted::sum(counts.map(|counted| counted.expect("no worker panics")))
    });
    counted.loads = database.counts().loads();
    for id in 0..workload.keys {
        let version = database.counts().version(id);
        let seen = until_it_succeeds(|| cache.get(id));
        counted.left_stale += u64::from(seen.version < version);
    }
    counted
}

fn measure_awaited<C: Awaited>(workload: &Workload, name: &str) -> Counted {
    let runtime = runtime();
    let database = Database::new(workload.keys);
    let cache = Arc::new(C::new(database.clone()));
    let run = workload.begin();
    let read = |worker| {
        let (run, cache, database) = (Arc::clone(&run), Arc::clone(&cache), database.clone());
        async move {
            let mut counted = Counted::default();
            for (number, Get { id, patience }) in run.gets(worker).enumerate() {
                let getting = run.getting(id, database.counts());
                let get = async {
                    let seen = within(patience, cache.get(id)).await;
                    (seen, LOADED.with(Cell::get))
                };
                let (seen, loaded) = LOADED.scope(Cell::new(false), get).await;
                counted.got(&getting, seen, loaded);
                // Hits never wait, so let the other tasks have a turn.
                if number % 16 == 0 {
                    tokio::task::yield_now().await;
                }
            }
            counted
        }
    };
    let update = |worker| {
        let (run, cache) = (Arc::clone(&run), Arc::clone(&cache));
        async move {
            let mut counted = Counted::default();
            for rename in run.renames(worker) {
                tokio::time::sleep_until(rename.at.into()).await;
                let call = Arc::clone(&cache).rename(rename.id, rename.name);
                let renamed = within(rename.patience, call).await;
                run.renamed(rename.id, renamed, &mut counted);
            }
            counted
        }
    };
    let readers = (0..workload.threads).map(|worker| runtime.spawn(read(worker)));
    let writers = (0..WRITERS).map(|worker| runtime.spawn(update(worker)));
    let workers: Vec<_> = readers.chain(writers).collect();
    workload.watch(name, &run);
    let counts = workers.into_iter().map(|worker| runtime.block_on(worker));
    let mut counted = Counted::sum(counts.map(|counted| counted.expect("no worker panics")));
    counted.loads = database.counts().loads();
    runtime.block_on(async {
        // Updates whose callers gave up go on.
        while database.counts().changing() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for id in 0..workload.keys {
            let version = database.counts().version(id);
            let seen = loop {
                if let Some(seen) = cache.get(id).await {
                    break seen;
                }
            };
            counted.left_stale += u64::from(seen.version < version);
        }
    });
    counted
}

async fn within<T>(patience: Option<Duration>, call: impl Future<Output = Option<T>>) -> Option<T> {
    match patience {
        Some(patience) => timeout(patience, call).await.ok().flatten(),
        None => call.await,
    }
}

/// Loads fail now and then, not always.
pub(crate) fn until_it_succeeds<T>(mut call: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(value) = call() {
            return value;
        }
    }
}

/// For each user the newest version whose update has returned.
struct Ledger(Box<[AtomicU64]>);

impl Ledger {
    fn of(&self, id: u64) -> &AtomicU64 {
        let id = usize::try_from(id).expect("there are not that many users");
        &self.0[id]
    }
}

/// One cache being measured.
struct Run {
    end: Instant,
    stop: Arc<AtomicBool>,
    keys: u64,
    updates: u32,
    seed: u64,
    ledger: Ledger,
}

struct Get {
    id: u64,
    patience: Option<Duration>,
}

struct Rename {
    at: Instant,
    id: u64,
    name: String,
    patience: Option<Duration>,
}

/// Threads or tasks that update.
const WRITERS: u16 = 8;
/// One call in this many is given up soon.
const GIVEN_UP: u32 = 10;
/// The longest that such a caller waits; a load takes up to twice as long.
const PATIENCE: Duration = Duration::from_millis(1);

impl Run {
    fn over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || Instant::now() >= self.end
    }

    fn random(&self, worker: u16) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed.wrapping_add(worker.into()))
    }

    /// What a reader does until the run is over.
    fn gets(&self, worker: u16) -> impl Iterator<Item = Get> {
        let mut random = self.random(worker);
        core::iter::from_fn(move || {
            let id = random.u64(..self.keys);
            let patience = patience(&mut random);
            (!self.over()).then_some(Get { id, patience })
        })
    }

    /// What a writer does until the run is over: the same at the same times, whatever the cache.
    fn renames(&self, worker: u16) -> impl Iterator<Item = Rename> {
        let mut random = self.random(u16::MAX - worker);
        let mean = Duration::from_secs(WRITERS.into()) / self.updates;
        let mut at = Instant::now();
        let mut updates = 0;
        core::iter::from_fn(move || {
            at += mean.mul_f64(2.0 * random.f64());
            updates += 1;
            let rename = Rename {
                at,
                id: random.u64(..self.keys),
                name: format!("{updates} of writer {worker}"),
                patience: patience(&mut random),
            };
            (!self.over() && at < self.end).then_some(rename)
        })
    }

    fn getting(&self, id: u64, database: Counts<'_>) -> Getting {
        Getting {
            oldest_allowed: self.ledger.of(id).load(Ordering::Acquire),
            answered: database.answered(),
        }
    }

    /// Call this after the update has returned, never before.
    fn renamed(&self, id: u64, renamed: Option<Seen>, counted: &mut Counted) {
        match renamed {
            Some(seen) => {
                let ledger = self.ledger.of(id);
                ledger.fetch_max(seen.version, Ordering::Release);
                counted.updates += 1;
            }
            None => counted.failed += 1,
        }
    }
}

fn patience(random: &mut fastrand::Rng) -> Option<Duration> {
    let gives_up = random.u32(..GIVEN_UP) == 0;
    gives_up.then(|| PATIENCE.mul_f64(random.f64()))
}

/// What is known when a get begins.
struct Getting {
    /// The oldest version it may serve.
    oldest_allowed: u64,
    /// The newest load that has been answered.
    answered: u64,
}

/// The results of the work.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) gets: u64,
    /// The value served was there when the get began.
    pub(crate) hits: u64,
    /// The value served came from another caller's load, which ended later.
    pub(crate) coalesced: u64,
    pub(crate) loads: u64,
    pub(crate) updates: u64,
    /// Gets and updates that failed or were given up.
    pub(crate) failed: u64,
    pub(crate) stale: u64,
    /// Keys that were stale once all work had ended.
    pub(crate) left_stale: u64,
}

impl Counted {
    fn got(&mut self, begun: &Getting, seen: Option<Seen>, loaded: bool) {
        let Some(seen) = seen else {
            self.failed += 1;
            return;
        };
        self.gets += 1;
        self.stale += u64::from(seen.version < begun.oldest_allowed);
        if !loaded && seen.load <= begun.answered {
            self.hits += 1;
        } else if !loaded {
            self.coalesced += 1;
        }
    }

    fn sum(counts: impl Iterator<Item = Self>) -> Self {
        counts.fold(Self::default(), |sum, one| Self {
            gets: sum.gets + one.gets,
            hits: sum.hits + one.hits,
            coalesced: sum.coalesced + one.coalesced,
            loads: sum.loads + one.loads,
            updates: sum.updates + one.updates,
            failed: sum.failed + one.failed,
            stale: sum.stale + one.stale,
            left_stale: sum.left_stale + one.left_stale,
        })
    }
}
