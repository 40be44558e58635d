//! What is counted: by a thread, in a round, under a policy.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::policies::PolicyName;
use crate::spread::Spread;

/// How long calls took, in nanoseconds, including those cut short by the end of the round.
#[derive(Clone, Debug)]
pub struct Latency(Histogram<u64>);

impl Latency {
    pub fn record(&mut self, took: Duration) {
        self.0.saturating_record(took.as_nanos() as u64);
    }

    fn add(&mut self, other: &Self) {
        self.0
            .add(&other.0)
            .expect("all histograms have the same bounds");
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn p50(&self) -> u64 {
        self.0.value_at_quantile(0.5)
    }

    pub fn p99_9(&self) -> u64 {
        self.0.value_at_quantile(0.999)
    }

    pub fn max(&self) -> u64 {
        self.0.max()
    }
}

impl Default for Latency {
    fn default() -> Self {
        let a_minute = 60_000_000_000;
        // To one percent: with hundreds of threads a third digit takes megabytes.
        Self(Histogram::new_with_bounds(1, a_minute, 2).expect("the bounds are in order"))
    }
}

/// What readers count.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Those that ended within the round.
    pub done: u64,
    pub write_faults: u64,
    pub retries: u64,
    pub fallbacks: u64,
    pub reads: u64,
    pub stale_reads: u64,
    pub latency: Latency,
}

impl Faults {
    pub fn add(&mut self, other: &Self) {
        self.done += other.done;
        self.write_faults += other.write_faults;
        self.retries += other.retries;
        self.fallbacks += other.fallbacks;
        self.reads += other.reads;
        self.stale_reads += other.stale_reads;
        self.latency.add(&other.latency);
    }
}

/// What writers count.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// Those that ended within the round.
    pub done: u64,
    pub latency: Latency,
}

impl Writes {
    pub fn add(&mut self, other: &Self) {
        self.done += other.done;
        self.latency.add(&other.latency);
    }
}

/// What all threads together have counted, in one round or in several.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub elapsed: Duration,
    /// By Ctrl-C.
    pub cut_short: bool,
    pub faults: Faults,
    pub writes: Writes,
    pub orphans: u64,
    pub io_errors: u64,
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.elapsed += other.elapsed;
        self.cut_short |= other.cut_short;
        self.faults.add(&other.faults);
        self.writes.add(&other.writes);
        self.orphans += other.orphans;
        self.io_errors += other.io_errors;
    }

    /// Nothing old was read, or could have been.
    pub fn is_fresh(&self) -> bool {
        self.faults.stale_reads == 0 && self.orphans == 0
    }

    pub fn rates(&self) -> Rates {
        let seconds = self.elapsed.as_secs_f64().max(1e-9);
        Rates {
            faults: self.faults.done as f64 / seconds,
            writes: self.writes.done as f64 / seconds,
        }
    }
}

/// Calls per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    pub faults: f64,
    pub writes: f64,
}

/// What was measured under one policy.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub policy: PolicyName,
    /// Of each round that was not cut short.
    pub rounds: Vec<Rates>,
    pub total: Figures,
}

impl Outcome {
    pub fn new(policy: PolicyName) -> Self {
        Self {
            policy,
            rounds: Vec::new(),
            total: Figures::default(),
        }
    }

    pub fn add(&mut self, round: &Figures) {
        if !round.cut_short {
            self.rounds.push(round.rates());
        }
        self.total.add(round);
    }

    /// The uncertainty of the rate, relative to it.
    pub fn give_or_take(&self, rate: fn(&Rates) -> f64) -> Option<f64> {
        let Spread { middle, between } = Spread::of(self.rounds.iter().map(rate).collect())?;
        let (low, high) = between.filter(|_| middle > 0.0)?;
        Some((middle - low).max(high - middle) / middle)
    }
}
