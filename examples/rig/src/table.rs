//! The results: a table for people, JSON for programs.

use core::fmt;

use serde_json::{Value, json};

use crate::hits::{Hit, Ratio};
use crate::work::{Counted, Workload};

/// A cache, the usual way and fenced.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) name: &'static str,
    pub(crate) usual: Counted,
    pub(crate) fenced: Counted,
    pub(crate) hit: Hit,
}

/// The heads of the columns.
pub(crate) fn heading() -> String {
    let columns = [
        "gets/s",
        "hits/s",
        "loads",
        "coalesced",
        "updates",
        "stale",
        "left stale",
    ];
    let columns: String = columns.map(|column| format!("{column:>11}")).concat();
    format!("{:<24}{columns}", "")
}

pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) counted: &'a Counted,
    pub(crate) seconds: f64,
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counted {
            gets,
            hits,
            coalesced,
            loads,
            updates,
            stale,
            left_stale,
            ..
        } = self.counted;
        let [gets, hits] = [gets, hits].map(|count| *count as f64 / self.seconds);
        write!(
            f,
            "{:<24}{gets:>11.0}{hits:>11.0}{loads:>11}{coalesced:>11}{updates:>11}{stale:>11}{left_stale:>11}",
            self.name
        )
    }
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lookup, get } = self;
        write!(f, "  a hit takes {lookup}; a whole get that hits {get}")
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            median,
            quartiles: [low, high],
            usual,
        } = self;
        write!(
            f,
            "{median:.2} times ({low:.2} to {high:.2}) the usual {usual:.0} ns"
        )
    }
}

pub(crate) fn json(workload: &Workload, caches: &[Compared]) -> Value {
    let way = |counted: &Counted| {
        json!({
            "gets": counted.gets,
            "hits": counted.hits,
            "coalesced": counted.coalesced,
            "loads": counted.loads,
            "updates": counted.updates,
            "failed": counted.failed,
            "stale": counted.stale,
            "left_stale": counted.left_stale,
        })
    };
    let ratio = |ratio: &Ratio| {
        json!({
            "ratio": ratio.median,
            "quartiles": ratio.quartiles,
            "usual_ns": ratio.usual,
        })
    };
    let cache = |cache: &Compared| {
        json!({
            "name": cache.name,
            "usual": way(&cache.usual),
            "fenced": way(&cache.fenced),
            "hit": ratio(&cache.hit.lookup),
            "get_that_hits": ratio(&cache.hit.get),
        })
    };
    json!({
        "seed": workload.seed,
        "threads": workload.threads,
        "keys": workload.keys,
        "updates_per_second": workload.updates,
        "seconds": workload.time.as_secs_f64(),
        "interrupted": workload.stopped(),
        "caches": caches.iter().map(cache).collect::<Vec<_>>(),
    })
}
