//! A cache that is filled and invalidated at the same time: the usual way, and fenced.
//!
//! A real `moka` cache stands in front of a slow source whose values change. Threads get and update
//! the same few keys, and every value that is served is checked: it is stale if it is older than a
//! version whose invalidation had completed before the get began. The usual way (`get_with`, and
//! `invalidate` after the update) serves such values, because a load that began before the update may
//! end after the invalidation. The fenced way, here as a blocking and as an async cache, serves none.
//!
//! ```text
//! cargo run --release --example cache_fill
//! ```

#[path = "cache_fill/rig.rs"]
mod rig;

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use moka::ops::compute::Op;
use seqschedlock::{Park, StripedSeqSchedLock};

use rig::{AsyncCache, Cache, Contender, Key, Row, Source, Version, Workload};

/// A value in a fenced cache: closed when it is published, opened once that has been committed.
///
/// Between the two others can find it, and it may be stale: loaded before an update, put into the
/// cache after the invalidation, not yet taken out again. So a closed entry counts as a miss. (That
/// moment is too short for this program to come across; `tests/replay` steps through it.) It also makes
/// giving up harmless: a fill that panics, or whose future is dropped, leaves at worst a closed entry
/// behind, which the next fill replaces.
struct Entry {
    version: Version,
    open: AtomicBool,
}

impl Entry {
    fn closed(version: Version) -> Arc<Self> {
        let open = AtomicBool::new(false);
        Arc::new(Self { version, open })
    }

    fn open(&self) {
        self.open.store(true, Ordering::Release);
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }
}

/// The blocking cache as people write it.
struct Usual {
    source: Source,
    cache: moka::sync::Cache<Key, Version>,
}

impl Contender for Usual {
    const NAME: &str = "moka::sync, get_with";
    const FENCED: bool = false;

    fn source(&self) -> &Source {
        &self.source
    }
}

impl Cache for Usual {
    fn get(&self, key: Key) -> Version {
        // moka lets one load at a time run for a key. It does not let `invalidate` wait for it, so
        // what the load has found is inserted however old it is by then.
        self.cache.get_with(key, || self.source.load(key))
    }

    fn update(&self, key: Key) -> Version {
        let version = self.source.update(key);
        self.cache.invalidate(&key);
        version
    }
}

/// The blocking cache, fenced.
///
/// Why no value that [`get`](Cache::get) serves is older than an invalidation that had completed
/// before it began:
///
/// - A *hit* is an open entry, so its publication was committed: each update either ended before that
///   fill began, and the fill loaded what it left, or its `invalidate` found the entry and removed it.
///   An update that had completed before this get has therefore not left an older entry to be found.
/// - A *miss* serves what it has loaded itself, after it began, and committed.
///
/// Values are not handed from one get to another in any other way, so there are more loads. `get_with`
/// does that: who arrives while a load runs waits for its value, and may arrive after an update that
/// the load began before. To share loads among waiters pass the stamp on with the value, and let each
/// check it with `read_commit` when it has received them; who finds that it does not hold begins anew.
struct Fenced {
    source: Source,
    cache: moka::sync::Cache<Key, Arc<Entry>>,
    stripes: StripedSeqSchedLock<Park>,
    retracted: AtomicU64,
}

impl Fenced {
    fn publish(&self, key: Key, entry: &Arc<Entry>) {
        self.cache.entry(key).and_upsert_with(|_| Arc::clone(entry));
    }

    /// Removes `ours`, not what somebody newer has put in its place.
    ///
    /// Publishing and this use the lock that moka has for each key, so nothing comes between the look
    /// and the removal. (A plain `insert` does not take that lock.)
    fn retract(&self, key: Key, ours: &Arc<Entry>) {
        self.retracted.fetch_add(1, Ordering::Relaxed);
        self.cache.entry(key).and_compute_with(|there| match there {
            Some(there) if Arc::ptr_eq(there.value(), ours) => Op::Remove,
            _ => Op::Nop,
        });
    }
}

impl Contender for Fenced {
    const NAME: &str = "moka::sync, fenced";
    const FENCED: bool = true;

    fn source(&self) -> &Source {
        &self.source
    }

    fn retracted(&self) -> u64 {
        self.retracted.load(Ordering::Relaxed)
    }
}

impl Cache for Fenced {
    fn get(&self, key: Key) -> Version {
        if let Some(entry) = self.cache.get(&key).filter(|entry| entry.is_open()) {
            return entry.version;
        }
        let entry = self.stripes.for_key(&key).publish(
            || {
                let entry = Entry::closed(self.source.load(key));
                self.publish(key, &entry);
                entry
            },
            |ours| self.retract(key, &ours),
        );
        // Committed: whoever updates the key from now on finds the entry, if it is still there.
        entry.open();
        entry.version
    }

    fn update(&self, key: Key) -> Version {
        let _section = self.stripes.for_key(&key).write();
        // First: an update that is cut short leaves nothing stale. No fill brings the old value back.
        self.cache.invalidate(&key);
        self.source.update(key)
    }
}

/// The async cache as people write it.
struct AsyncUsual {
    source: Source,
    cache: moka::future::Cache<Key, Version>,
}

impl Contender for AsyncUsual {
    const NAME: &str = "moka::future, get_with";
    const FENCED: bool = false;

    fn source(&self) -> &Source {
        &self.source
    }
}

impl AsyncCache for AsyncUsual {
    async fn get(&self, key: Key) -> Version {
        self.cache.get_with(key, self.source.load_async(key)).await
    }

    async fn update(&self, key: Key) -> Version {
        let version = self.source.update_async(key).await;
        self.cache.invalidate(&key).await;
        version
    }
}

/// The async cache, fenced: what is said of [`Fenced`] holds here too. Updates hold their section
/// across their awaits, and fills await it.
struct AsyncFenced {
    source: Source,
    cache: moka::future::Cache<Key, Arc<Entry>>,
    stripes: StripedSeqSchedLock<Park>,
    retracted: AtomicU64,
}

impl AsyncFenced {
    async fn publish(&self, key: Key, entry: &Arc<Entry>) {
        self.cache
            .entry(key)
            .and_upsert_with(async |_| Arc::clone(entry))
            .await;
    }

    async fn retract(&self, key: Key, ours: &Arc<Entry>) {
        self.retracted.fetch_add(1, Ordering::Relaxed);
        self.cache
            .entry(key)
            .and_compute_with(async |there| match there {
                Some(there) if Arc::ptr_eq(there.value(), ours) => Op::Remove,
                _ => Op::Nop,
            })
            .await;
    }
}

impl Contender for AsyncFenced {
    const NAME: &str = "moka::future, fenced";
    const FENCED: bool = true;

    fn source(&self) -> &Source {
        &self.source
    }

    fn retracted(&self) -> u64 {
        self.retracted.load(Ordering::Relaxed)
    }
}

impl AsyncCache for AsyncFenced {
    async fn get(&self, key: Key) -> Version {
        let found = self.cache.get(&key).await;
        if let Some(entry) = found.filter(|entry| entry.is_open()) {
            return entry.version;
        }
        let entry = self
            .stripes
            .for_key(&key)
            .publish_async(
                async || {
                    let entry = Entry::closed(self.source.load_async(key).await);
                    self.publish(key, &entry).await;
                    entry
                },
                async |ours| self.retract(key, &ours).await,
            )
            .await;
        entry.open();
        entry.version
    }

    async fn update(&self, key: Key) -> Version {
        let _section = self.stripes.for_key(&key).write();
        // First: an update that is cut short, its future dropped, leaves nothing stale. (This source changes
        // while it is polled or not at all. With one that may do so later, run all this in its own task.)
        self.cache.invalidate(&key).await;
        self.source.update_async(key).await
    }
}

/// Fills and invalidates a cache at the same time, the usual way and fenced, and counts stale values.
///
/// Four caches are tried one after the other: blocking and async, each the usual way and fenced. A
/// value is stale if it is older than a version whose invalidation had completed before the get began.
#[derive(Parser)]
#[command(
    after_help = "Exit code: 0 if the fenced caches served nothing stale, 1 if one ever did \
    (or the result could not be written), 2 for bad input. Ctrl-C ends early, with the table so far."
)]
struct Arguments {
    /// Seconds for each of the four caches
    #[arg(long, default_value = "3", value_parser = seconds, allow_negative_numbers = true)]
    seconds: f64,
    /// Threads, and then tasks, that get and update
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Keys they share
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    keys: u32,
    /// Seed for who does what, not for when [default: a new one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.01..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0.01 to 3600 is needed".into()),
    }
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help goes to the standard output in full; a mistake is one line.
        Err(asked_for_help) if !asked_for_help.use_stderr() => asked_for_help.exit(),
        Err(mistake) => {
            let text = mistake.to_string();
            eprintln!("{}", text.lines().next().unwrap_or_default());
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: the result could not be written: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<ExitCode> {
    let workload = Workload::new(
        arguments.threads,
        arguments.keys,
        arguments.seconds,
        arguments.seed.unwrap_or_else(|| fastrand::u64(..)),
        io::stderr().is_terminal(),
    );
    ctrlc::set_handler(workload.stopper()).expect("this is the only handler");

    let mut out = io::stdout().lock();
    if !arguments.json {
        writeln!(out, "{workload}\n\n{}", Row::heading())?;
    }
    let mut rows = Vec::new();
    for measure in [usual, fenced, async_usual, async_fenced] {
        if workload.stopped() {
            break;
        }
        let row = measure(&workload);
        if !arguments.json {
            writeln!(out, "{row}")?;
        }
        rows.push(row);
    }

    let stale = |fenced| -> u64 {
        let rows = rows.iter().filter(|row: &&Row| row.fenced == fenced);
        rows.map(|row| row.stale).sum()
    };
    if arguments.json {
        writeln!(out, "{:#}", workload.json(&rows))?;
    } else if workload.stopped() {
        writeln!(out, "\nInterrupted: the last cache was not given its time.")?;
    } else if stale(false) == 0 {
        writeln!(
            out,
            "\nThe usual way got away with it this time: give it more seconds or threads."
        )?;
    }
    Ok(match stale(true) {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// More than there are keys: nothing is evicted, every miss is a first get or follows an update.
const CAPACITY: u64 = 2_000_000;

fn usual(workload: &Workload) -> Row {
    workload.blocking(Usual {
        source: workload.source(),
        cache: moka::sync::Cache::new(CAPACITY),
    })
}

fn fenced(workload: &Workload) -> Row {
    workload.blocking(Fenced {
        source: workload.source(),
        cache: moka::sync::Cache::new(CAPACITY),
        stripes: StripedSeqSchedLock::new(),
        retracted: AtomicU64::new(0),
    })
}

fn async_usual(workload: &Workload) -> Row {
    workload.awaiting(AsyncUsual {
        source: workload.source(),
        cache: moka::future::Cache::new(CAPACITY),
    })
}

fn async_fenced(workload: &Workload) -> Row {
    workload.awaiting(AsyncFenced {
        source: workload.source(),
        cache: moka::future::Cache::new(CAPACITY),
        stripes: StripedSeqSchedLock::new(),
        retracted: AtomicU64::new(0),
    })
}
