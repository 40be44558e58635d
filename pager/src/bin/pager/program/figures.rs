//! The results of all rounds of a workload, and their spread.

use super::crew::Tally;
use super::options::PolicyName;
use super::workload::Workload;

/// With this many rounds or more the quartiles are a spread; with fewer, minimum and maximum.
const ENOUGH: usize = 8;

/// The results of a workload.
#[derive(Debug)]
pub struct Figures {
    pub workload: &'static Workload,
    pub policies: Vec<Outcome>,
    rounds: usize,
}

/// The results of a policy in a workload.
#[derive(Debug)]
pub struct Outcome {
    pub policy: PolicyName,
    /// All rounds together.
    pub total: Tally,
    rounds: Vec<Round>,
}

/// The figures of a round that are compared with those of other policies.
#[derive(Clone, Copy, Debug)]
struct Round {
    number: usize,
    faults: f64,
    invalidations: f64,
    /// The time that 99 of 100 invalidations stay below.
    invalidation_p99: f64,
}

/// A figure to compare policies by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    FaultsPerSecond,
    InvalidationsPerSecond,
    InvalidationP99,
}

/// The ratio of two policies within a round: its median and its spread over all rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    pub lower: f64,
    pub median: f64,
    pub upper: f64,
}

impl Ratio {
    /// Whether the spread contains 1, so that no difference can be claimed.
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

    /// Adds the result of a policy in this round.
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

    /// Whether a sound policy has served a stale page.
    pub fn failed(&self) -> bool {
        self.policies
            .iter()
            .any(|one| one.policy.is_sound() && one.total.stale > 0)
    }

    pub fn of(&self, policy: PolicyName) -> Option<&Outcome> {
        self.policies.iter().find(|one| one.policy == policy)
    }

    /// The ratio of one policy's figure to another's, over the rounds of both. `None` if there are none.
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
            // Interpolated between its neighbours.
            let at = part * (ratios.len() - 1) as f64;
            let (below, above) = (ratios[at.floor() as usize], ratios[at.ceil() as usize]);
            below + (above - below) * at.fract()
        };
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
