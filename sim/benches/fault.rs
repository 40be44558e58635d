//! What do the policies of the page cache cost, and what do they save?
//!
//! Threads fault in pages of one cached file, over and over, each in an address space of its own. Beside
//! them one thread invalidates pages and sleeps for a while in the middle of each, as file systems do; or
//! there is no such thread, and all threads fault in the same few pages. All six policies take turns,
//! round by round. Both sides are measured, which exposes a policy that serves faults by starving the
//! invalidator, or the other way round.
//!
//! ```text
//! cargo bench -p seqschedlock-sim -- [--rounds 5] [--seconds 0.1] [--threads N] [--json FILE]
//! ```

#[path = "../../benches/bench/json.rs"]
mod json;
#[path = "fault/scenarios.rs"]
mod scenarios;
#[path = "../../benches/bench/spread.rs"]
mod spread;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use hdrhistogram::Histogram;
use scenarios::{Invalidator, SCENARIOS, Scenario};
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
    /// Seconds per measurement.
    #[arg(long, default_value_t = 0.1)]
    seconds: f64,
    /// The largest number of threads that fault; by default as many as there are processors.
    #[arg(long)]
    threads: Option<usize>,
    /// Where the figures go as JSON lines.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/benchmarks/fault.json"))]
    json: std::path::PathBuf,
    /// Passed by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What was counted in one round.
struct Outcome {
    seconds: f64,
    faults: Faults,
    invalidations: Invalidations,
}

impl Outcome {
    fn faults_per_second(&self) -> f64 {
        self.faults.latency.len() as f64 / self.seconds
    }

    fn invalidations_per_second(&self) -> f64 {
        self.invalidations.done as f64 / self.seconds
    }

    fn per_fault(&self, count: u64) -> f64 {
        count as f64 / self.faults.latency.len() as f64
    }
}

fn measure<P: Policy>(threads: usize, scenario: Scenario, time: Duration) -> Outcome {
    let store = MemStore::new(scenario.pages * PAGE_SIZE as u64, Duration::ZERO);
    let invalidator = scenario.invalidator;
    let release = invalidator.map_or(Duration::ZERO, |invalidator| invalidator.inside);
    let file = AddressSpace::<P>::new(store, PlainFs { release }).unwrap();
    let stop = AtomicBool::new(false);
    let start = Barrier::new(threads + 1 + usize::from(invalidator.is_some()));
    thread::scope(|scope| {
        let (file, start, stop) = (&file, &start, &stop);
        let faulting: Vec<_> = (0..threads as u64)
            .map(|seed| scope.spawn(move || fault(file, seed, start, stop)))
            .collect();
        let invalidating =
            invalidator.map(|how| scope.spawn(move || invalidate(file, how, start, stop)));
        start.wait();
        let began = Instant::now();
        thread::sleep(time);
        stop.store(true, Relaxed);
        let seconds = began.elapsed().as_secs_f64();

        let mut faults = Faults::new();
        for thread in faulting {
            faults.add(&thread.join().unwrap());
        }
        let invalidations = invalidating.map(|thread| thread.join().unwrap());
        Outcome {
            seconds,
            faults,
            invalidations: invalidations.unwrap_or_else(Invalidations::new),
        }
    })
}

struct Faults {
    /// In nanoseconds, as everywhere.
    latency: Histogram<u64>,
    conflicts: u64,
    fallbacks: u64,
}

impl Faults {
    fn new() -> Self {
        Faults {
            latency: Histogram::new(3).unwrap(),
            conflicts: 0,
            fallbacks: 0,
        }
    }

    fn add(&mut self, other: &Faults) {
        self.latency.add(&other.latency).unwrap();
        self.conflicts += other.conflicts;
        self.fallbacks += other.fallbacks;
    }
}

/// Faults in random pages and lets them go again.
fn fault<P: Policy>(
    file: &Arc<AddressSpace<P>>,
    seed: u64,
    start: &Barrier,
    stop: &AtomicBool,
) -> Faults {
    let mut random = fastrand::Rng::with_seed(seed);
    let process = Mm::new();
    let pages = file.pages();
    let address = process.mmap(file, 0, pages, Sharing::Shared);
    for page in 0..pages {
        let at = address + page * PAGE_SIZE as u64;
        process.fault(at, Access::Read, Patience::DEFAULT).unwrap();
    }
    process.madvise_dontneed(address, pages);

    let mut faults = Faults::new();
    start.wait();
    while !stop.load(Relaxed) {
        let at = address + random.u64(..pages) * PAGE_SIZE as u64;
        let began = Instant::now();
        let faulted = process.fault(at, Access::Read, Patience::DEFAULT).unwrap();
        faults
            .latency
            .record(began.elapsed().as_nanos() as u64)
            .unwrap();
        faults.conflicts += u64::from(faulted.conflicts);
        faults.fallbacks += u64::from(faulted.fell_back);
        process.madvise_dontneed(at, 1);
    }
    faults
}

struct Invalidations {
    /// Those that returned in time.
    done: u64,
    /// Of a call, whether it returned in time or not.
    latency: Histogram<u64>,
}

impl Invalidations {
    fn new() -> Self {
        Invalidations {
            done: 0,
            latency: Histogram::new(3).unwrap(),
        }
    }
}

/// Invalidates one range after the other.
fn invalidate<P: Policy>(
    file: &Arc<AddressSpace<P>>,
    how: Invalidator,
    start: &Barrier,
    stop: &AtomicBool,
) -> Invalidations {
    let mut invalidations = Invalidations::new();
    let process = Mm::new();
    let pages = file.pages();
    let address = process.mmap(file, 0, pages, Sharing::Shared);
    let ranges = (0..).map(|nth| nth * how.range * 7 % (pages - how.range));
    start.wait();
    for first in ranges {
        // So that there is a page to remove, however few faults get through.
        for index in first..first + how.range {
            let at = address + index * PAGE_SIZE as u64;
            process.fault(at, Access::Read, Patience::DEFAULT).unwrap();
        }
        let began = Instant::now();
        file.invalidate_inode_pages2_range(first..=first + how.range - 1)
            .unwrap();
        let took = began.elapsed().as_nanos() as u64;
        invalidations.latency.record(took).unwrap();
        if stop.load(Relaxed) {
            break;
        }
        invalidations.done += 1;
        if !how.between.is_zero() {
            thread::sleep(how.between);
        }
    }
    invalidations
}

struct Contender {
    name: &'static str,
    measure: fn(usize, Scenario, Duration) -> Outcome,
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
        for scenario in SCENARIOS {
            let mut outcomes = POLICIES.map(|_| Vec::new());
            for _ in 0..options.rounds {
                for (policy, outcomes) in POLICIES.iter().zip(&mut outcomes) {
                    outcomes.push((policy.measure)(threads, scenario, time));
                }
            }
            println!(
                "\n{threads} thread{}, {}\n{:<17} {:>9} {:>19} {:>8} {:>9} {:>9} {:>8} {:>9}   {:>9} {:>9} {:>9}",
                if threads == 1 { "" } else { "s" },
                scenario.name,
                "",
                "faults/s",
                "[min .. max]",
                "ratio",
                "conflicts",
                "fallback",
                "p50 ns",
                "p99.9 µs",
                "invals/s",
                "p50 µs",
                "p99.9 µs",
            );
            for (policy, of_policy) in POLICIES.iter().zip(&outcomes) {
                lines.push(&row(
                    policy.name,
                    threads,
                    scenario,
                    of_policy,
                    &outcomes[0],
                ));
            }
        }
    }
    lines.finish();
}

/// Prints the figures of a policy, and returns them for the plots.
fn row(
    name: &str,
    threads: usize,
    scenario: Scenario,
    outcomes: &[Outcome],
    unprotected: &[Outcome],
) -> serde_json::Value {
    let median = |figure: fn(&Outcome) -> f64| spread(outcomes.iter().map(figure).collect());
    let [faults, least, highest] = median(Outcome::faults_per_second);
    let ratios = outcomes
        .iter()
        .zip(unprotected)
        .map(|(this, first)| this.faults_per_second() / first.faults_per_second());
    let [ratio, ..] = spread(ratios.collect());
    let [conflicts, ..] = median(|outcome| outcome.per_fault(outcome.faults.conflicts));
    let [fallbacks, ..] = median(|outcome| outcome.per_fault(outcome.faults.fallbacks));
    let [invalidations, fewest, most] = median(Outcome::invalidations_per_second);
    let mut of_faults = Histogram::<u64>::new(3).unwrap();
    let mut of_invalidations = Histogram::<u64>::new(3).unwrap();
    for outcome in outcomes {
        of_faults.add(&outcome.faults.latency).unwrap();
        of_invalidations
            .add(&outcome.invalidations.latency)
            .unwrap();
    }
    let quantiles = |of: &Histogram<u64>| [0.5, 0.999].map(|at| of.value_at_quantile(at) as f64);
    let [p50, p999] = quantiles(&of_faults);
    let [invalidation_p50, invalidation_p999] = quantiles(&of_invalidations);
    print!(
        "{name:<17} {faults:>9.0} [{least:>7.0} .. {highest:>7.0}] {ratio:>7.3}x {:>8.4}% {:>8.4}% {p50:>8.0} {:>9.1}",
        100.0 * conflicts,
        100.0 * fallbacks,
        p999 / 1e3,
    );
    match scenario.invalidator {
        Some(_) => println!(
            "   {invalidations:>9.0} {:>9.1} {:>9.1}",
            invalidation_p50 / 1e3,
            invalidation_p999 / 1e3,
        ),
        None => println!(),
    }
    let mut figures = json!({
        "contender": name,
        "threads": threads,
        "beside": scenario.name,
        "pages": scenario.pages,
        "faults_per_second": faults,
        "faults_per_second_min": least,
        "faults_per_second_max": highest,
        "ratio_to_unprotected": ratio,
        "conflicts_per_fault": conflicts,
        "fallbacks_per_fault": fallbacks,
        "p50_ns": p50,
        "p99_9_ns": p999,
    });
    if let Some(how) = scenario.invalidator {
        figures["invalidator"] = json!({
            "range": how.range,
            "hold_us": how.inside.as_micros() as u64,
            "between_us": how.between.as_micros() as u64,
            "invalidations_per_second": invalidations,
            "invalidations_per_second_min": fewest,
            "invalidations_per_second_max": most,
            "pages_per_second": invalidations * how.range as f64,
            "p50_ns": invalidation_p50,
            "p99_9_ns": invalidation_p999,
        });
    }
    figures
}
