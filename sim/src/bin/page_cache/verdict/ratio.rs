//! How one policy compares with another.

use crate::outcome::{Outcome, Rates};
use crate::spread::Spread;
use crate::terminal::counted;

/// The ratio of two rates, taken within each round, where both met the same machine.
pub struct Ratio {
    spread: Spread,
    rounds: usize,
}

impl Ratio {
    /// `None` if there is no round in which both did anything.
    pub fn within_rounds(this: &Outcome, other: &Outcome, rate: fn(&Rates) -> f64) -> Option<Self> {
        let ratios: Vec<f64> = (this.rounds.iter().map(rate))
            .zip(other.rounds.iter().map(rate))
            .filter(|(this, other)| *this > 0.0 && *other > 0.0)
            .map(|(this, other)| this / other)
            .collect();
        let rounds = ratios.len();
        let spread = Spread::of(ratios)?;
        Some(Self { spread, rounds })
    }

    /// How many times the `things`, or that there is no clear difference.
    pub fn of(&self, things: &str) -> String {
        let middle = times(self.spread.middle);
        let Some((low, high)) = self.spread.between else {
            let rounds = counted(self.rounds as u64, "round");
            return format!("{middle} times the {things} ({rounds}, too few to know the spread)");
        };
        let [least, most] = [low, high].map(times);
        match (low..=high).contains(&1.0) {
            true => format!(
                "no clear difference in {things} ({middle} times, within the spread of {least} to {most})"
            ),
            false => format!("{middle} times the {things} ({least} to {most})"),
        }
    }

    /// As a part of 100, and its spread in brackets.
    pub fn percent(&self) -> [String; 2] {
        let spread = match self
            .spread
            .between
            .map(|(low, high)| (100.0 * low, 100.0 * high))
        {
            None => String::new(),
            Some((low, high)) if (low..=high).contains(&100.0) => {
                format!(" (within the spread of {low:.0} to {high:.0})")
            }
            Some((low, high)) => format!(" ({low:.0} to {high:.0})"),
        };
        [format!("{:.0} %", 100.0 * self.spread.middle), spread]
    }
}

/// Two digits or three.
fn times(ratio: f64) -> String {
    match ratio {
        10.0.. => format!("{ratio:.0}"),
        2.0.. => format!("{ratio:.1}"),
        _ => format!("{ratio:.2}"),
    }
}
