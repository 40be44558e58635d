//! The results as JSON, under stable names.

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::figures::{Figures, Measure, Outcome};
use super::options::{Options, PolicyName};
use super::scratch::Scratch;

pub fn report(scratch: &Scratch, options: &Options, all: &[Figures]) -> Value {
    let workloads: Vec<Value> = all
        .iter()
        .map(|figures| workload(options, figures))
        .collect();
    json!({
        "format": 1,
        "file": scratch.name,
        "readers": options.readers,
        "handlers": options.handlers,
        "rounds": options.rounds,
        "round_ms": options.round.as_millis(),
        "workloads": workloads,
    })
}

fn workload(options: &Options, figures: &Figures) -> Value {
    let workload = figures.workload;
    let invalidator = workload.invalidator.as_ref().map(|invalidator| {
        json!({
            "range": invalidator.range,
            "change_us": invalidator.change.as_micros(),
            "every_us": invalidator.every.as_micros(),
        })
    });
    let policies: Vec<Value> = figures
        .policies
        .iter()
        .map(|outcome| policy(figures, outcome))
        .collect();
    json!({
        "workload": workload.name,
        "pages": workload.pages,
        "load_us": workload.load.as_micros(),
        "invalidator": invalidator,
        "cut_short": figures.rounds() < options.rounds,
        "policies": policies,
    })
}

fn policy(figures: &Figures, outcome: &Outcome) -> Value {
    let total = &outcome.total;
    let ratio = |measure, to| {
        figures.ratio(measure, outcome.policy, to).map(
            |ratio| json!({ "lower": ratio.lower, "median": ratio.median, "upper": ratio.upper }),
        )
    };
    let at = |histogram: &Histogram<u64>, quantile| {
        (!histogram.is_empty()).then(|| histogram.value_at_quantile(quantile))
    };
    json!({
        "policy": outcome.policy.name(),
        "sound": outcome.policy.is_sound(),
        "seconds": total.elapsed.as_secs_f64(),
        "reads": total.reads,
        "reads_per_second": total.per_second(total.reads),
        "stale_reads": total.stale,
        "faults": total.faults(),
        "faults_per_second": total.per_second(total.faults()),
        "faults_to_unprotected": ratio(Measure::FaultsPerSecond, PolicyName::Unprotected),
        "faults_to_rwlock": ratio(Measure::FaultsPerSecond, PolicyName::RwLock),
        "invalidations": total.invalidations,
        "invalidations_per_second": total.per_second(total.invalidations),
        "invalidations_to_unprotected":
            ratio(Measure::InvalidationsPerSecond, PolicyName::Unprotected),
        "invalidations_to_rwlock": ratio(Measure::InvalidationsPerSecond, PolicyName::RwLock),
        "loads": total.counts.loads,
        "lost_loads": total.counts.conflicts,
        "turns": total.counts.turns,
        "read_p50_ns": at(&total.read, 0.5),
        "read_p99_9_ns": at(&total.read, 0.999),
        "fault_p50_ns": at(&total.fault, 0.5),
        "fault_p99_9_ns": at(&total.fault, 0.999),
        "invalidation_p50_ns": at(&total.invalidation, 0.5),
        "invalidation_p99_ns": at(&total.invalidation, 0.99),
        "invalidation_p99_9_ns": at(&total.invalidation, 0.999),
        "invalidation_p99_to_rwlock": ratio(Measure::InvalidationP99, PolicyName::RwLock),
    })
}
