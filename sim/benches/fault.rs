//! What do the policies of the page cache cost, and what do they save?
//!
//! Threads fault pages of one cached file in, over and over, each in an address space of its own.
//! Beside them one thread invalidates pages and sleeps for a while in the middle of each, as file systems
//! do. All six policies take turns, round by round.
//!
//! ```text
//! cargo bench -p seqschedlock-sim -- [--rounds 5] [--seconds 0.1] [--threads N] [--json FILE]
//! ```

#[path = "../../benches/bench/json.rs"]
mod json;
#[path = "../../benches/bench/spread.rs"]
mod spread;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use hdrhistogram::Histogram;
use seqschedlock_sim::page_cache::{
    Access, AddressSpace, AsPosted, Commit, InvalidateRwLock, MemStore, Mm, PAGE_SIZE, PageLock,
    Patience, PlainFs, Policy, Sharing, Striped, Unprotected,
};
use serde_json::json;
use spread::spread;

#[derive(Parser)]
struct Options {
    /// How often everything is measured; medians are printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each time.
    #[arg(long, default_value_t = 0.1)]
    seconds: f64,
    /// The largest number of threads that fault; by default as many as there are processors.
    #[arg(long)]
    threads: Option<usize>,
    /// Where the figures go as JSON lines.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/benchmarks/fault.json"))]
    json: std::path::PathBuf,
    /// What cargo passes.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Pages in the file. With few of them a fault is mostly held up by the invalidation of its own page,
/// which is so under every policy.
const PAGES: u64 = 16_384;

/// What goes on beside the faults.
#[derive(Clone, Copy)]
struct Invalidator {
    name: &'static str,
    /// How long it sleeps in the middle of each page, and between two calls. `None`: there is none.
    pace: Option<(Duration, Duration)>,
    /// How many pages it invalidates with one call.
    range: u64,
}

const INVALIDATORS: [Invalidator; 6] = [
    Invalidator {
        name: "no invalidator",
        pace: None,
        range: 0,
    },
    invalidator(
        "one page at a time, no sleep inside, every 1 ms",
        1,
        0,
        1_000,
    ),
    invalidator(
        "one page at a time, sleeps 100 µs inside, at once again",
        1,
        100,
        0,
    ),
    invalidator(
        "one page at a time, sleeps 1 ms inside, every 2 ms",
        1,
        1_000,
        1_000,
    ),
    invalidator(
        "one page at a time, sleeps 1 ms inside, at once again",
        1,
        1_000,
        0,
    ),
    invalidator(
        "16 pages at a time, sleeps 1 ms in each, at once again",
        16,
        1_000,
        0,
    ),
];

const fn invalidator(
    name: &'static str,
    range: u64,
    inside_us: u64,
    between_us: u64,
) -> Invalidator {
    let pace = (
        Duration::from_micros(inside_us),
        Duration::from_micros(between_us),
    );
    Invalidator {
        name,
        pace: Some(pace),
        range,
    }
}

/// What was counted in one round.
struct Outcome {
    faults_per_second: f64,
    conflicts: f64,
    fallbacks: f64,
    invalidations_per_second: f64,
    latency: Histogram<u64>,
}

fn measure<P: Policy>(threads: usize, beside: Invalidator, time: Duration) -> Outcome {
    let (inside, between) = beside.pace.unwrap_or_default();
    let store = MemStore::new(PAGES * PAGE_SIZE as u64, Duration::ZERO);
    let file = AddressSpace::<P>::new(store, PlainFs { release: inside }).unwrap();
    let stop = AtomicBool::new(false);
    let start = Barrier::new(threads + 2);
    thread::scope(|scope| {
        let faulting: Vec<_> = (0..threads as u64)
            .map(|seed| {
                scope.spawn({
                    let (file, start, stop) = (&file, &start, &stop);
                    move || fault(file, seed, start, stop)
                })
            })
            .collect();
        let invalidating = scope.spawn(|| {
            start.wait();
            let mut invalidations = 0;
            let process = Mm::new();
            let address = process.mmap(&file, 0, PAGES, Sharing::Shared);
            while beside.pace.is_some() && !stop.load(Relaxed) {
                let first = invalidations * 7 % (PAGES - beside.range);
                // So that there is a page to remove, however few faults get through.
                for index in first..first + beside.range {
                    let at = address + index * PAGE_SIZE as u64;
                    process.fault(at, Access::Read, Patience::DEFAULT).unwrap();
                }
                file.invalidate_inode_pages2_range(first..=first + beside.range - 1)
                    .unwrap();
                invalidations += beside.range;
                if !between.is_zero() {
                    thread::sleep(between);
                }
            }
            invalidations
        });
        start.wait();
        let began = Instant::now();
        thread::sleep(time);
        stop.store(true, Relaxed);
        let elapsed = began.elapsed().as_secs_f64();

        let mut all = Tally::new();
        for thread in faulting {
            all.add(&thread.join().unwrap());
        }
        let faults = all.latency.len() as f64;
        Outcome {
            faults_per_second: faults / elapsed,
            conflicts: all.conflicts as f64 / faults,
            fallbacks: all.fallbacks as f64 / faults,
            invalidations_per_second: invalidating.join().unwrap() as f64 / elapsed,
            latency: all.latency,
        }
    })
}

struct Tally {
    latency: Histogram<u64>,
    conflicts: u64,
    fallbacks: u64,
}

impl Tally {
    fn new() -> Self {
        Tally {
            latency: Histogram::new(3).unwrap(),
            conflicts: 0,
            fallbacks: 0,
        }
    }

    fn add(&mut self, other: &Tally) {
        self.latency.add(&other.latency).unwrap();
        self.conflicts += other.conflicts;
        self.fallbacks += other.fallbacks;
    }
}

/// Faults pages in at random and lets them go again.
fn fault<P: Policy>(
    file: &Arc<AddressSpace<P>>,
    seed: u64,
    start: &Barrier,
    stop: &AtomicBool,
) -> Tally {
    let mut random = fastrand::Rng::with_seed(seed);
    let process = Mm::new();
    let address = process.mmap(file, 0, PAGES, Sharing::Shared);
    for page in 0..PAGES {
        process
            .fault(
                address + page * PAGE_SIZE as u64,
                Access::Read,
                Patience::DEFAULT,
            )
            .unwrap();
    }
    process.madvise_dontneed(address, PAGES);

    let mut tally = Tally::new();
    start.wait();
    while !stop.load(Relaxed) {
        let at = address + random.u64(..PAGES) * PAGE_SIZE as u64;
        let began = Instant::now();
        let faulted = process.fault(at, Access::Read, Patience::DEFAULT).unwrap();
        tally
            .latency
            .record(began.elapsed().as_nanos() as u64)
            .unwrap();
        tally.conflicts += u64::from(faulted.conflicts);
        tally.fallbacks += u64::from(faulted.fell_back);
        process.madvise_dontneed(at, 1);
    }
    tally
}

struct Contender {
    name: &'static str,
    measure: fn(usize, Invalidator, Duration) -> Outcome,
}

const fn policy<P: Policy>() -> Contender {
    Contender {
        name: P::NAME,
        measure: measure::<P>,
    }
}

const POLICIES: [Contender; 6] = [
    policy::<Unprotected>(),
    policy::<AsPosted>(),
    policy::<Commit>(),
    policy::<Striped>(),
    policy::<PageLock>(),
    policy::<InvalidateRwLock>(),
];

fn main() {
    let options = Options::parse();
    let most = options
        .threads
        .unwrap_or_else(|| thread::available_parallelism().unwrap().get());
    let time = Duration::from_secs_f64(options.seconds);
    let mut lines = json::Lines::create(&options.json);
    for threads in 1..=most {
        for beside in INVALIDATORS {
            let mut outcomes = POLICIES.map(|_| Vec::new());
            for _ in 0..options.rounds {
                for (policy, outcomes) in POLICIES.iter().zip(&mut outcomes) {
                    outcomes.push((policy.measure)(threads, beside, time));
                }
            }
            println!(
                "\n{threads} thread{}, {}\n{:<17} {:>9} {:>19} {:>8} {:>10} {:>9} {:>8} {:>9} {:>10}",
                if threads == 1 { "" } else { "s" },
                beside.name,
                "",
                "faults/s",
                "[min .. max]",
                "ratio",
                "conflicts",
                "fallback",
                "p50 ns",
                "p99.9 µs",
                "pages out/s",
            );
            let unprotected: Vec<f64> = outcomes[0]
                .iter()
                .map(|outcome| outcome.faults_per_second)
                .collect();
            for (policy, outcomes) in POLICIES.iter().zip(&outcomes) {
                let of = |figure: fn(&Outcome) -> f64| -> Vec<f64> {
                    outcomes.iter().map(figure).collect()
                };
                let faults = of(|outcome| outcome.faults_per_second);
                let ratios = faults
                    .iter()
                    .zip(&unprotected)
                    .map(|(this, first)| this / first);
                let [ratio, ..] = spread(ratios.collect());
                let [faults, least, highest] = spread(faults);
                let [conflicts, ..] = spread(of(|outcome| outcome.conflicts));
                let [fallbacks, ..] = spread(of(|outcome| outcome.fallbacks));
                let [invalidations, ..] = spread(of(|outcome| outcome.invalidations_per_second));
                let mut latency = Histogram::<u64>::new(3).unwrap();
                for outcome in outcomes {
                    latency.add(&outcome.latency).unwrap();
                }
                let [p50, p999] = [0.5, 0.999].map(|at| latency.value_at_quantile(at) as f64);
                println!(
                    "{:<17} {faults:>9.0} [{least:>7.0} .. {highest:>7.0}] {ratio:>7.3}x {:>9.4}% {:>8.4}% {p50:>8.0} {:>9.1} {invalidations:>10.0}",
                    policy.name,
                    100.0 * conflicts,
                    100.0 * fallbacks,
                    p999 / 1e3,
                );
                lines.push(&json!({
                    "contender": policy.name,
                    "threads": threads,
                    "beside": beside.name,
                    "range": beside.range,
                    "hold_us": beside.pace.map_or(0, |(inside, _)| inside.as_micros() as u64),
                    "between_us": beside.pace.map(|(_, between)| between.as_micros() as u64),
                    "faults_per_second": faults,
                    "faults_per_second_min": least,
                    "faults_per_second_max": highest,
                    "ratio_to_unprotected": ratio,
                    "conflicts_per_fault": conflicts,
                    "fallbacks_per_fault": fallbacks,
                    "invalidations_per_second": invalidations,
                    "p50_ns": p50,
                    "p99_9_ns": p999,
                }));
            }
        }
    }
    lines.finish();
}
