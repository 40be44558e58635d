//! What the caches are measured with: a slow source, a ledger of invalidations, and the work.

use core::fmt;
use core::future::Future;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

pub type Key = u32;
/// The values of a key: 0 at first, one more with each update.
pub type Version = u64;

/// What each cache says of itself.
pub trait Contender: Send + Sync + 'static {
    const NAME: &str;
    const FENCED: bool;

    fn source(&self) -> &Source;

    /// How many publications had to be taken back.
    fn retracted(&self) -> u64 {
        0
    }
}

pub trait Cache: Contender {
    fn get(&self, key: Key) -> Version;

    /// Changes the value and invalidates the entry; returns the new version when both are done.
    fn update(&self, key: Key) -> Version;
}

pub trait AsyncCache: Contender {
    fn get(&self, key: Key) -> impl Future<Output = Version> + Send;

    /// As [`Cache::update`].
    fn update(&self, key: Key) -> impl Future<Output = Version> + Send;
}

/// Where the values are: far away, so that a request and its answer each take a while.
pub struct Source {
    versions: Box<[AtomicU64]>,
    loads: AtomicU64,
}

/// The longest that a request or an answer is under way.
const LONGEST_WAY: Duration = Duration::from_millis(1);

impl Source {
    pub fn load(&self, key: Key) -> Version {
        self.loads.fetch_add(1, Ordering::Relaxed);
        thread::sleep(way());
        let version = self.version(key).load(Ordering::Acquire);
        thread::sleep(way());
        version
    }

    pub fn update(&self, key: Key) -> Version {
        thread::sleep(way());
        let version = self.version(key).fetch_add(1, Ordering::AcqRel) + 1;
        thread::sleep(way());
        version
    }

    pub async fn load_async(&self, key: Key) -> Version {
        self.loads.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(way()).await;
        let version = self.version(key).load(Ordering::Acquire);
        tokio::time::sleep(way()).await;
        version
    }

    pub async fn update_async(&self, key: Key) -> Version {
        tokio::time::sleep(way()).await;
        let version = self.version(key).fetch_add(1, Ordering::AcqRel) + 1;
        tokio::time::sleep(way()).await;
        version
    }

    fn version(&self, key: Key) -> &AtomicU64 {
        &self.versions[key as usize]
    }
}

fn way() -> Duration {
    LONGEST_WAY.mul_f64(fastrand::f64())
}

/// For each key the newest version whose invalidation has completed.
struct Ledger(Box<[AtomicU64]>);

impl Ledger {
    /// What a get that begins now must at least be served.
    fn oldest_allowed(&self, key: Key) -> Version {
        self.0[key as usize].load(Ordering::Acquire)
    }

    /// To be called after the update has returned, never before.
    fn completed(&self, key: Key, version: Version) {
        self.0[key as usize].fetch_max(version, Ordering::Release);
    }
}

/// Who does what for how long, the same for each cache.
pub struct Workload {
    threads: u16,
    keys: u32,
    time: Duration,
    seed: u64,
    progress: bool,
    stop: Arc<AtomicBool>,
}

impl Workload {
    pub fn new(threads: u16, keys: u32, seconds: f64, seed: u64, progress: bool) -> Self {
        Self {
            threads,
            keys,
            time: Duration::from_secs_f64(seconds),
            seed,
            progress,
            stop: Arc::default(),
        }
    }

    /// Ends the measurement that runs, and keeps others from being begun.
    pub fn stopper(&self) -> impl Fn() + Send + 'static {
        let stop = Arc::clone(&self.stop);
        move || stop.store(true, Ordering::Relaxed)
    }

    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub fn source(&self) -> Source {
        Source {
            versions: self.per_key(),
            loads: AtomicU64::new(0),
        }
    }

    fn per_key(&self) -> Box<[AtomicU64]> {
        (0..self.keys).map(|_| AtomicU64::new(0)).collect()
    }

    /// Measures a blocking cache, with threads.
    pub fn blocking<C: Cache>(&self, cache: C) -> Row {
        let run = self.begin();
        let work = |worker| {
            let mut tally = Tally::default();
            for step in run.steps(worker) {
                match step {
                    Step::Get(key) => {
                        let oldest_allowed = run.ledger.oldest_allowed(key);
                        tally.got(cache.get(key), oldest_allowed);
                    }
                    Step::Update(key) => {
                        let version = cache.update(key);
                        run.ledger.completed(key, version);
                        tally.updates += 1;
                    }
                }
            }
            tally
        };
        let tally = thread::scope(|threads| {
            let workers: Vec<_> = (0..self.threads)
                .map(|worker| threads.spawn(move || work(worker)))
                .collect();
            self.watch(C::NAME, &run);
            let tallies = workers.into_iter().map(|worker| worker.join());
            Tally::sum(tallies.map(|tally| tally.expect("no worker panics")))
        });
        Row::new(&cache, &tally)
    }

    /// Measures an async cache, with tasks on a runtime of as many threads as there are cores.
    pub fn awaiting<C: AsyncCache>(&self, cache: C) -> Row {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_time()
            .build()
            .expect("a runtime can be started");
        let (run, cache) = (self.begin(), Arc::new(cache));
        let work = |worker| {
            let (run, cache) = (Arc::clone(&run), Arc::clone(&cache));
            async move {
                let mut tally = Tally::default();
                for step in run.steps(worker) {
                    match step {
                        Step::Get(key) => {
                            let oldest_allowed = run.ledger.oldest_allowed(key);
                            tally.got(cache.get(key).await, oldest_allowed);
                        }
                        Step::Update(key) => {
                            let version = cache.update(key).await;
                            run.ledger.completed(key, version);
                            tally.updates += 1;
                        }
                    }
                }
                tally
            }
        };
        let workers: Vec<_> = (0..self.threads)
            .map(|worker| runtime.spawn(work(worker)))
            .collect();
        self.watch(C::NAME, &run);
        let tallies = workers.into_iter().map(|worker| runtime.block_on(worker));
        let tally = Tally::sum(tallies.map(|tally| tally.expect("no worker panics")));
        Row::new(&*cache, &tally)
    }

    fn begin(&self) -> Arc<Run> {
        Arc::new(Run {
            end: Instant::now() + self.time,
            stop: Arc::clone(&self.stop),
            keys: self.keys,
            seed: self.seed,
            ledger: Ledger(self.per_key()),
        })
    }

    /// Waits for the end of a run and, on a terminal, says how far it is.
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

    pub fn json(&self, rows: &[Row]) -> Value {
        let rows: Vec<_> = rows.iter().map(Row::json).collect();
        json!({
            "seed": self.seed,
            "threads": self.threads,
            "keys": self.keys,
            "seconds": self.time.as_secs_f64(),
            "interrupted": self.stopped(),
            "caches": rows,
        })
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            threads,
            keys,
            seed,
            ..
        } = self;
        let seconds = self.time.as_secs_f64();
        write!(
            f,
            "{threads} threads or tasks, {keys} keys, {seconds} s for each cache, seed {seed}"
        )
    }
}

/// One cache being measured.
struct Run {
    end: Instant,
    stop: Arc<AtomicBool>,
    keys: u32,
    seed: u64,
    ledger: Ledger,
}

enum Step {
    Get(Key),
    Update(Key),
}

/// One step in so many is an update.
const UPDATES: u32 = 32;

impl Run {
    fn over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || Instant::now() >= self.end
    }

    /// What a worker does until the run is over.
    fn steps(&self, worker: u16) -> impl Iterator<Item = Step> {
        let mut random = fastrand::Rng::with_seed(self.seed.wrapping_add(worker.into()));
        core::iter::from_fn(move || {
            let key = random.u32(..self.keys);
            let step = match random.u32(..UPDATES) {
                0 => Step::Update(key),
                _ => Step::Get(key),
            };
            (!self.over()).then_some(step)
        })
    }
}

#[derive(Default)]
struct Tally {
    gets: u64,
    updates: u64,
    stale: u64,
}

impl Tally {
    fn got(&mut self, version: Version, oldest_allowed: Version) {
        self.gets += 1;
        self.stale += u64::from(version < oldest_allowed);
    }

    fn sum(tallies: impl Iterator<Item = Self>) -> Self {
        tallies.fold(Self::default(), |sum, tally| Self {
            gets: sum.gets + tally.gets,
            updates: sum.updates + tally.updates,
            stale: sum.stale + tally.stale,
        })
    }
}

/// What came of one cache.
pub struct Row {
    name: &'static str,
    pub fenced: bool,
    gets: u64,
    loads: u64,
    updates: u64,
    retracted: u64,
    pub stale: u64,
}

impl Row {
    fn new<C: Contender>(cache: &C, tally: &Tally) -> Self {
        Self {
            name: C::NAME,
            fenced: C::FENCED,
            gets: tally.gets,
            loads: cache.source().loads.load(Ordering::Relaxed),
            updates: tally.updates,
            retracted: cache.retracted(),
            stale: tally.stale,
        }
    }

    /// The heads of the columns.
    pub fn heading() -> String {
        let (name, gets, loads) = ("cache", "gets", "loads");
        let (updates, retracted, stale) = ("updates", "retracted", "stale");
        format!("{name:<22}{gets:>12}{loads:>9}{updates:>9}{retracted:>11}{stale:>10}")
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "fenced": self.fenced,
            "gets": self.gets,
            "loads": self.loads,
            "updates": self.updates,
            "retracted": self.retracted,
            "stale": self.stale,
        })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            gets,
            loads,
            updates,
            retracted,
            stale,
            ..
        } = self;
        write!(
            f,
            "{name:<22}{gets:>12}{loads:>9}{updates:>9}{retracted:>11}{stale:>10}"
        )
    }
}
