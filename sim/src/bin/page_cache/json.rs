//! The figures for machines, under stable names.

use seqschedlock_sim::page_cache::PAGE_SIZE;
use serde_json::{Value, json};

use crate::options::{Io, Options};
use crate::outcome::Outcome;
use crate::verdict::verdict;
use crate::workload::Workload;

pub fn json(workload: &Workload, options: &Options, outcomes: &[Outcome]) -> Value {
    let (io, io_latency) = match options.io {
        Io::File => ("file", None),
        Io::Memory { latency } => ("memory", Some(latency.as_micros())),
    };
    json!({
        "format": 1,
        "file": workload.name,
        "pages": workload.blocks.pages,
        "page_size": PAGE_SIZE,
        "threads": workload.threads,
        "writers": workload.writers,
        "range_pages": workload.blocks.range,
        "every_us": workload.every.as_micros(),
        "hold_us": options.hold.as_micros(),
        "io": io,
        "io_latency_us": io_latency,
        "mix_percent": options.mix,
        "rounds": workload.rounds,
        "direct_writes_wanted_per_second": workload.wanted(),
        "policies": outcomes.iter().map(policy).collect::<Vec<_>>(),
        "verdict": verdict(outcomes, workload.wanted()),
    })
}

fn policy(outcome: &Outcome) -> Value {
    let total = &outcome.total;
    let rounds: Vec<Value> = outcome
        .rounds
        .iter()
        .map(|rates| {
            json!({
                "faults_per_second": rates.faults,
                "direct_writes_per_second": rates.writes,
            })
        })
        .collect();
    json!({
        "policy": outcome.policy.name(),
        "sound": outcome.policy.is_sound(),
        "this_crate": outcome.policy.is_ours(),
        "what": outcome.policy.in_short(),
        "how": outcome.policy.in_plain_words(),
        "seconds": total.elapsed.as_secs_f64(),
        "cut_short": total.cut_short,
        "faults": total.faults.done,
        "faults_per_second": total.rates().faults,
        "write_faults": total.faults.write_faults,
        "direct_writes": total.writes.done,
        "direct_writes_per_second": total.rates().writes,
        "retries": total.faults.retries,
        "fallbacks": total.faults.fallbacks,
        "reads": total.faults.reads,
        "stale_reads": total.faults.stale_reads,
        "orphaned_mappings": total.orphans,
        "io_errors": total.io_errors,
        "fault_p50_ns": total.faults.latency.p50(),
        "fault_p99_9_ns": total.faults.latency.p99_9(),
        "fault_max_ns": total.faults.latency.max(),
        "direct_write_p50_ns": total.writes.latency.p50(),
        "direct_write_p99_9_ns": total.writes.latency.p99_9(),
        "direct_write_max_ns": total.writes.latency.max(),
        "rounds": rounds,
    })
}
