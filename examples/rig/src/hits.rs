//! What a hit costs, fenced and the usual way, measured in turn.

use core::future::Future;
use core::hint::black_box;
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use crate::database::{BlockingDatabase, Database};
use crate::work::{Awaited, Blocking, Workload, runtime, until_it_succeeds};

const ROUNDS: usize = 301;
const GETS: u64 = 2000;

/// How many times as long the fenced cache takes, within each round: the median and the quartiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) quartiles: [f64; 2],
    /// Nanoseconds the usual way.
    pub(crate) usual: f64,
}

impl Ratio {
    fn of(rounds: Vec<(Duration, Duration)>) -> Self {
        let usual = rounds.iter().map(|(usual, _)| usual.as_nanos() as f64);
        let ratios = rounds
            .iter()
            .map(|(usual, fenced)| fenced.as_secs_f64() / usual.as_secs_f64());
        let (usual, ratios) = (sorted(usual), sorted(ratios));
        let at = |part: usize| ratios[ratios.len() * part / 4];
        Self {
            median: at(2),
            quartiles: [at(1), at(3)],
            usual: usual[usual.len() / 2] / GETS as f64,
        }
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Rounds in which each goes first in turn, until they are done or the user stops the run.
fn rounds(
    workload: &Workload,
    mut usual: impl FnMut() -> Duration,
    mut fenced: impl FnMut() -> Duration,
) -> Ratio {
    let mut taken = Vec::with_capacity(ROUNDS);
    while taken.len() < ROUNDS && (taken.is_empty() || !workload.stopped()) {
        taken.push(if taken.len() % 2 == 0 {
            let usual = usual();
            (usual, fenced())
        } else {
            let fenced = fenced();
            (usual(), fenced)
        });
    }
    Ratio::of(taken)
}

/// What a hit costs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    /// A lookup, and the check whether what it found may be served.
    pub(crate) lookup: Ratio,
    /// A whole get that hits.
    pub(crate) get: Ratio,
}

pub(crate) fn blocking<U: Blocking, F: Blocking>(workload: &Workload) -> Hit {
    let usual = U::new(BlockingDatabase::new(workload.keys));
    let fenced = F::new(BlockingDatabase::new(workload.keys));
    for id in 0..workload.keys {
        until_it_succeeds(|| usual.get(id));
        until_it_succeeds(|| fenced.get(id));
    }
    let lookup = rounds(
        workload,
        || hits(workload.keys, |id| usual.hit(id)),
        || hits(workload.keys, |id| fenced.hit(id)),
    );
    let get = rounds(
        workload,
        || hits(workload.keys, |id| usual.get(id)),
        || hits(workload.keys, |id| fenced.get(id)),
    );
    Hit { lookup, get }
}

fn hits<T>(keys: u64, get: impl Fn(u64) -> T) -> Duration {
    let begun = Instant::now();
    for get_number in 0..GETS {
        black_box(get(black_box(get_number % keys)));
    }
    begun.elapsed()
}

pub(crate) fn awaited<U: Awaited, F: Awaited>(workload: &Workload) -> Hit {
    let runtime = runtime();
    let usual = Arc::new(U::new(Database::new(workload.keys)));
    let fenced = Arc::new(F::new(Database::new(workload.keys)));
    runtime.block_on(async {
        for id in 0..workload.keys {
            while usual.get(id).await.is_none() {}
            while fenced.get(id).await.is_none() {}
        }
    });
    let lookup = rounds(
        workload,
        || runtime.block_on(hits_awaited(workload.keys, |id| usual.hit(id))),
        || runtime.block_on(hits_awaited(workload.keys, |id| fenced.hit(id))),
    );
    let get = rounds(
        workload,
        || runtime.block_on(hits_awaited(workload.keys, |id| usual.get(id))),
        || runtime.block_on(hits_awaited(workload.keys, |id| fenced.get(id))),
    );
    Hit { lookup, get }
}

async fn hits_awaited<G: Future>(keys: u64, get: impl Fn(u64) -> G) -> Duration {
    let begun = Instant::now();
    for get_number in 0..GETS {
        black_box(get(black_box(get_number % keys)).await);
    }
    begun.elapsed()
}
