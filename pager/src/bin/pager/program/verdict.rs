//! The verdict: sentences that are computed from the figures.

use super::figures::{Figures, Measure, Ratio};
use super::options::PolicyName::{self, Closed, Gate, PageMutex, RwLock, Unprotected};
use super::report::{counted, times};

/// First the stale reads of each policy, then the cost of soundness for faults and for invalidations.
pub fn sentences(all: &[Figures]) -> Vec<String> {
    let mut sentences = staleness(all);
    for figures in all {
        sentences.extend(costs(figures));
    }
    sentences
}

fn staleness(all: &[Figures]) -> Vec<String> {
    let mut stale: Vec<(PolicyName, u64, u64)> = Vec::new();
    for outcome in all.iter().flat_map(|figures| &figures.policies) {
        let (reads, bad) = (outcome.total.reads, outcome.total.stale);
        match stale
            .iter_mut()
            .find(|(policy, ..)| *policy == outcome.policy)
        {
            Some((_, all_reads, all_bad)) => {
                *all_reads += reads;
                *all_bad += bad;
            }
            None => stale.push((outcome.policy, reads, bad)),
        }
    }
    let mut sentences = Vec::new();
    for (policy, reads, bad) in stale.iter().filter(|(.., bad)| *bad > 0) {
        let reads = counted(*reads, "read");
        let name = policy.name();
        sentences.push(match policy.is_sound() {
            false => format!("{name} served {bad} STALE pages in {reads}."),
            true => format!(
                "{name} SERVED {bad} STALE PAGES in {reads} and must serve none: this is a bug."
            ),
        });
    }
    let clean: Vec<&(PolicyName, u64, u64)> = stale.iter().filter(|(.., bad)| *bad == 0).collect();
    if !clean.is_empty() {
        let names: Vec<&str> = clean.iter().map(|(policy, ..)| policy.name()).collect();
        let reads = clean.iter().map(|(_, reads, _)| reads).sum();
        sentences.push(format!(
            "{}: none of {} was stale.",
            names.join(", "),
            counted(reads, "read")
        ));
    }
    if clean.iter().any(|(policy, ..)| *policy == Unprotected) {
        sentences.push(
            "Unprotected served none either, so this run says nothing about soundness.".to_owned(),
        );
    }
    sentences
}

/// Compares `Gate` (or `Closed`, where `Gate` did not run) with the rivals.
fn costs(figures: &Figures) -> Vec<String> {
    let name = figures.workload.name;
    let Some(ours) = [Gate, Closed]
        .into_iter()
        .find(|&ours| figures.of(ours).is_some())
    else {
        return Vec::new();
    };
    let compared = |measure, rivals: &[PolicyName], say: fn(Ratio, &str) -> String| {
        let parts: Vec<String> = rivals
            .iter()
            .filter_map(|&rival| Some(say(figures.ratio(measure, ours, rival)?, rival.name())))
            .collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    };
    let faults = compared(
        Measure::FaultsPerSecond,
        &[RwLock, PageMutex, Unprotected],
        |ratio, rival| match ratio.within_spread() {
            true => format!("as often as {rival}, within the spread {}", spread(ratio)),
            false => format!(
                "{} times as often as {rival} {}",
                times(ratio.median),
                spread(ratio)
            ),
        },
    );
    let waits = compared(
        Measure::InvalidationP99,
        &[RwLock, PageMutex],
        |ratio, rival| match ratio.within_spread() {
            true => format!(
                "as long as with {rival}, within the spread {}",
                spread(ratio)
            ),
            false => format!(
                "{} times as long as with {rival} {}",
                times(ratio.median),
                spread(ratio)
            ),
        },
    );
    let ours = ours.name();
    [
        faults.map(|parts| format!("{name}: {ours} served faults {parts}.")),
        waits.map(|parts| format!("{name}: with {ours} an invalidation waited (p99) {parts}.")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn spread(ratio: Ratio) -> String {
    format!("({} to {})", times(ratio.lower), times(ratio.upper))
}
