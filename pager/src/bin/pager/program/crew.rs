//! The threads of one round, under one policy.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, Builder, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use fastrand::Rng;
use hdrhistogram::Histogram;
use seqschedlock_pager::{Counts, PAGE_SIZE, Pager, Policy};

use super::INTERRUPTED;
use super::options::Options;
use super::scratch::{CHANGES_AT, Scratch};
use super::workload::{Invalidator, Workload};

/// How often the main thread checks whether the round is over.
const NAP: Duration = Duration::from_millis(20);

/// The results of a round, or of one of its threads.
#[derive(Debug)]
pub struct Tally {
    pub elapsed: Duration,
    pub reads: u64,
    pub stale: u64,
    pub invalidations: u64,
    pub counts: Counts,
    /// Nanoseconds that reads took.
    pub read: Histogram<u64>,
    /// The same for reads that waited for a load.
    pub fault: Histogram<u64>,
    /// Nanoseconds until the pages were out and the change could begin.
    pub invalidation: Histogram<u64>,
}

impl Tally {
    fn new() -> Self {
        Self {
            elapsed: Duration::ZERO,
            reads: 0,
            stale: 0,
            invalidations: 0,
            counts: Counts::default(),
            read: histogram(),
            fault: histogram(),
            invalidation: histogram(),
        }
    }

    /// Adds the results of another round or thread.
    pub fn add(&mut self, other: &Tally) {
        self.elapsed += other.elapsed;
        self.reads += other.reads;
        self.stale += other.stale;
        self.invalidations += other.invalidations;
        self.counts.loads += other.counts.loads;
        self.counts.conflicts += other.counts.conflicts;
        self.counts.turns += other.counts.turns;
        self.counts.failures += other.counts.failures;
        for (own, others) in [
            (&mut self.read, &other.read),
            (&mut self.fault, &other.fault),
            (&mut self.invalidation, &other.invalidation),
        ] {
            own.add(others)
                .expect("all histograms have the same bounds");
        }
    }

    pub fn faults(&self) -> u64 {
        self.fault.len()
    }

    pub fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.elapsed.as_secs_f64()
    }
}

fn histogram() -> Histogram<u64> {
    let a_minute = 60_000_000_000;
    Histogram::new_with_bounds(1, a_minute, 3).expect("the bounds are in order")
}

fn record(histogram: &mut Histogram<u64>, since: Instant) {
    histogram.saturating_record(since.elapsed().as_nanos() as u64);
}

/// Runs readers and an invalidator on a new pager, for one round or until Ctrl-C.
pub fn run<P: Policy>(
    workload: &Workload,
    scratch: &Scratch,
    options: &Options,
) -> Result<Tally, String> {
    let store = scratch.store(workload.load)?;
    let handlers = options.handlers.into();
    let pager = Pager::<P>::with_policy(workload.pages, workload.block(), store, handlers)
        .map_err(|error| format!("cannot start a pager with {handlers} handlers: {error}"))?;
    let crew = Crew {
        pager: &pager,
        workload,
        scratch,
        over: &AtomicBool::new(false),
    };
    let mut tally = Tally::new();
    let began = Instant::now();
    thread::scope(|threads| -> Result<(), String> {
        let started = crew.start(threads, options.readers);
        while started.is_ok() && began.elapsed() < options.round && !INTERRUPTED.load(Relaxed) {
            thread::sleep(options.round.saturating_sub(began.elapsed()).min(NAP));
        }
        tally.elapsed = began.elapsed();
        crew.over.store(true, Relaxed);
        for thread in started? {
            tally.add(&thread.join().expect("nobody panics")?);
        }
        Ok(())
    })?;
    tally.counts = pager.counts();
    match pager.take_failure() {
        None => Ok(tally),
        Some(failure) => Err(format!("cannot load a page of the copy: {}", failure.error)),
    }
}

struct Crew<'a, P: Policy> {
    pager: &'a Pager<P>,
    workload: &'a Workload,
    scratch: &'a Scratch,
    over: &'a AtomicBool,
}

impl<P: Policy> Clone for Crew<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Policy> Copy for Crew<'_, P> {}

type Work<'scope> = ScopedJoinHandle<'scope, Result<Tally, String>>;

impl<'a, P: Policy> Crew<'a, P> {
    fn start<'scope>(
        self,
        threads: &'scope Scope<'scope, '_>,
        readers: u16,
    ) -> Result<Vec<Work<'scope>>, String>
    where
        'a: 'scope,
    {
        let mut started = Vec::new();
        for seed in 0..readers {
            let read = move || Ok(self.read(seed.into()));
            started.push(Builder::new().spawn_scoped(threads, read));
        }
        if let Some(invalidator) = &self.workload.invalidator {
            let invalidate = move || self.invalidate(invalidator);
            started.push(Builder::new().spawn_scoped(threads, invalidate));
        }
        started
            .into_iter()
            .collect::<Result<_, _>>()
            .inspect_err(|_| self.over.store(true, Relaxed))
            .map_err(|error| format!("cannot start {readers} readers: {error}"))
    }

    /// Reads pages at random, and evicts some of them.
    fn read(self, seed: u64) -> Tally {
        let mut random = Rng::with_seed(seed);
        let mut tally = Tally::new();
        while !self.over.load(Relaxed) {
            let page = random.usize(..self.workload.pages);
            let announced = self.scratch.announced(page);
            let loads = self.scratch.loads(page);
            let began = Instant::now();
            let change = self.pager.load(page * PAGE_SIZE + CHANGES_AT);
            record(&mut tally.read, began);
            if self.scratch.loads(page) != loads {
                record(&mut tally.fault, began);
            }
            tally.reads += 1;
            tally.stale += u64::from(change < announced);
            if random.u32(..self.workload.evict) == 0 {
                self.pager.evict(page..page + 1);
            }
        }
        tally
    }

    /// Invalidates and changes ranges at random.
    fn invalidate(self, work: &Invalidator) -> Result<Tally, String> {
        let mut random = Rng::with_seed(1 << 32);
        let mut tally = Tally::new();
        let mut changes = vec![0; work.range];
        while !self.over.load(Relaxed) {
            let first = random.usize(..self.workload.pages / work.range) * work.range;
            let pages = first..first + work.range;
            let began = Instant::now();
            let section = self.pager.invalidate(pages.clone());
            record(&mut tally.invalidation, began);
            if !work.change.is_zero() {
                thread::sleep(work.change);
            }
            for (page, change) in pages.clone().zip(&mut changes) {
                *change = self.scratch.change(page)?;
            }
            drop(section);
            for (page, change) in pages.zip(&changes) {
                self.scratch.announce(page, *change);
            }
            tally.invalidations += 1;
            let rest = work.every.saturating_sub(began.elapsed());
            if !rest.is_zero() {
                thread::sleep(rest);
            }
        }
        Ok(tally)
    }
}
