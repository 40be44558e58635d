//! The verdict on the figures, in sentences.

mod ratio;
#[cfg(test)]
mod tests;

use crate::outcome::Outcome;
use crate::policies::PolicyName;
use crate::terminal::{counted, short};
use ratio::Ratio;

/// The sentences. `wanted` is how many direct writes per second the writers aim for, if they aim
/// for a number.
pub fn verdict(outcomes: &[Outcome], wanted: Option<f64>) -> Vec<String> {
    let mut sentences = vec![stale_data(outcomes)];
    sentences.extend(cost_to_readers(outcomes));
    sentences.extend(cost_to_writers(outcomes, wanted));
    sentences.extend(ours_against_others(outcomes));
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

fn stale_data(outcomes: &[Outcome]) -> String {
    let mut sentences = Vec::new();
    let (mut none, mut none_this_time) = (Vec::new(), Vec::new());
    for Outcome { policy, total, .. } in outcomes {
        let name = policy.name();
        let stale = total.faults.stale_reads;
        let but = match policy.is_sound() {
            true => ", WHICH MUST NOT HAPPEN",
            false => "",
        };
        match (stale, total.orphans) {
            (0, 0) if policy.is_sound() => none.push(name.to_owned()),
            (0, 0) => none_this_time.push(name.to_owned()),
            (0, orphans) => sentences.push(format!(
                "{name} left {}{but}; no read happened to meet one.",
                counted(orphans, "orphan")
            )),
            _ => sentences.push(format!(
                "{name} served {} in {} reads{but}.",
                counted(stale, "stale read"),
                short(total.faults.reads as f64)
            )),
        }
        if total.io_errors != 0 {
            let errors = counted(total.io_errors, "I/O error");
            sentences.push(format!("{name} met {errors}."));
        }
    }
    if !none_this_time.is_empty() {
        sentences.push(format!(
            "{} served none this time, but could have: the models in sim/tests find the race.",
            listed(&none_this_time)
        ));
    }
    if !none.is_empty() {
        sentences.push(format!("{} served none.", listed(&none)));
    }
    format!("Stale data: {}", sentences.join(" "))
}

fn cost_to_readers(outcomes: &[Outcome]) -> Option<String> {
    let unprotected = of(outcomes, PolicyName::Unprotected)?;
    let shares: Vec<String> = sound(outcomes)
        .filter_map(|outcome| {
            let share = Ratio::within_rounds(outcome, unprotected, |rates| rates.faults)?;
            let [share, spread] = share.percent();
            Some(format!("{share} under {}{spread}", outcome.policy.name()))
        })
        .collect();
    (!shares.is_empty()).then(|| {
        format!(
            "Cost to readers: compared with Unprotected, which checks nothing, faults come to {}.",
            listed(&shares)
        )
    })
}

fn cost_to_writers(outcomes: &[Outcome], wanted: Option<f64>) -> Option<String> {
    let wanted = wanted.filter(|wanted| *wanted > 0.0)?;
    let got: Vec<String> = sound(outcomes)
        .map(|outcome| {
            let writes = outcome.total.rates().writes;
            format!("{} under {}", short(writes), outcome.policy.name())
        })
        .collect();
    (!got.is_empty()).then(|| {
        format!(
            "Cost to writers: they want {} direct writes/s and get {}.",
            short(wanted),
            listed(&got)
        )
    })
}

/// This crate's policy with the finest locks against the sound policies of others.
fn ours_against_others(outcomes: &[Outcome]) -> Vec<String> {
    let ours = [PolicyName::Striped, PolicyName::Commit];
    let Some(ours) = ours.iter().find_map(|ours| of(outcomes, *ours)) else {
        return Vec::new();
    };
    sound(outcomes)
        .filter(|other| !other.policy.is_ours())
        // The newest first.
        .rev()
        .filter_map(|other| {
            let faults = Ratio::within_rounds(ours, other, |rates| rates.faults)?.of("faults");
            let writes = Ratio::within_rounds(ours, other, |rates| rates.writes)
                .map(|ratio| format!(", and {}", ratio.of("direct writes")))
                .unwrap_or_default();
            let (ours, other) = (ours.policy.name(), other.policy);
            Some(format!(
                "{ours} (this crate) against {} ({}): {faults}{writes}.",
                other.name(),
                other.in_short()
            ))
        })
        .collect()
}

fn of(outcomes: &[Outcome], policy: PolicyName) -> Option<&Outcome> {
    outcomes.iter().find(|outcome| outcome.policy == policy)
}

fn sound(outcomes: &[Outcome]) -> impl DoubleEndedIterator<Item = &Outcome> {
    outcomes.iter().filter(|outcome| outcome.policy.is_sound())
}

/// With commas, and an "and" before the last one.
fn listed(things: &[String]) -> String {
    match things {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
