//! What all rounds of a workload came to, and how far they lie apart.

use super::crew::Tally;
use super::options::PolicyName;
use super::workload::Workload;

/// From so many rounds on, half of them are a spread.
const ENOUGH: usize = 8;

/// Of one workload.
#[derive(Debug)]
pub struct Figures {
    pub workload: &'static Workload,
    pub policies: Vec<Outcome>,
    rounds: usize,
}

/// Of one policy in it.
#[derive(Debug)]
pub struct Outcome {
    pub policy: PolicyName,
    /// All of its rounds together.
    pub total: Tally,
    rounds: Vec<Round>,
}

/// What is compared within a round.
#[derive(Clone, Copy, Debug)]
struct Round {
    number: usize,
    faults: f64,
    invalidations: f64,
    /// How long all but one in a hundred took.
    invalidation_p99: f64,
}

/// Something to compare policies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    FaultsPerSecond,
    InvalidationsPerSecond,
    InvalidationP99,
}

/// A ratio within each round: its median, and between what half of the rounds lay, or all of them if they are
/// few.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    pub lower: f64,
    pub median: f64,
    pub upper: f64,
}

impl Ratio {
    /// Rounds lie on both sides of equal: no difference can be told.
    pub fn within_spread(self) -> bool {
        self.lower <= 1.0 && self.upper >= 1.0
    }
}

impl Figures {
    pub fn new(workload: &'static Workload, policies: &[PolicyName]) -> Self {
        Self {
            workload,
            policies: Vec::with_capacity(policies.len()),
            rounds: 0,
        }
    }

    pub fn begin_round(&mut self) {
        self.rounds += 1;
    }

    /// The turn of a policy in this round.
    pub fn add(&mut self, policy: PolicyName, tally: Tally) {
        let round = Round {
            number: self.rounds,
            faults: tally.per_second(tally.faults()),
            invalidations: tally.per_second(tally.invalidations),
            invalidation_p99: tally.invalidation.value_at_quantile(0.99) as f64,
        };
        match self.policies.iter_mut().find(|one| one.policy == policy) {
            Some(outcome) => {
                outcome.total.add(&tally);
                outcome.rounds.push(round);
            }
            None => self.policies.push(Outcome {
                policy,
                total: tally,
                rounds: vec![round],
            }),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    pub fn rounds(&self) -> usize {
        self.policies
            .iter()
            .map(|one| one.rounds.len())
            .max()
            .unwrap_or(0)
    }

    /// A policy that is meant to be sound let a stale read through.
    pub fn failed(&self) -> bool {
        self.policies
            .iter()
            .any(|one| one.policy.is_sound() && one.total.stale > 0)
    }

    pub fn of(&self, policy: PolicyName) -> Option<&Outcome> {
        self.policies.iter().find(|one| one.policy == policy)
    }

    /// One policy's figure to another's, within each round that both had. None if there is none to compare.
    pub fn ratio(&self, measure: Measure, of: PolicyName, to: PolicyName) -> Option<Ratio> {
        let (of, to) = (self.of(of)?, self.of(to)?);
        let mut ratios: Vec<f64> = of
            .rounds
            .iter()
            .filter_map(|round| {
                let other = to.rounds.iter().find(|to| to.number == round.number)?;
                let ratio = measure.of(round) / measure.of(other);
                ratio.is_finite().then_some(ratio)
            })
            .collect();
        if ratios.is_empty() {
            return None;
        }
        ratios.sort_by(f64::total_cmp);
        let quantile = |part: f64| {
            // Between the two that are nearest.
            let at = part * (ratios.len() - 1) as f64;
            let (below, above) = (ratios[at.floor() as usize], ratios[at.ceil() as usize]);
            below + (above - below) * at.fract()
        };
        // Quartiles of a few would be no spread at all.
        let outside = if ratios.len() < ENOUGH { 0.0 } else { 0.25 };
        Some(Ratio {
            lower: quantile(outside),
            median: quantile(0.5),
            upper: quantile(1.0 - outside),
        })
    }
}

impl Measure {
    fn of(self, round: &Round) -> f64 {
        match self {
            Self::FaultsPerSecond => round.faults,
            Self::InvalidationsPerSecond => round.invalidations,
            Self::InvalidationP99 => round.invalidation_p99,
        }
    }
}
