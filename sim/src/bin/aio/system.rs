//! A system with its versions, and the outcome of a version.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Clock;

/// One of the systems.
pub struct System {
    /// What `--only` and JSON call it.
    pub name: &'static str,
    /// The line above its table.
    pub title: &'static str,
    /// In the order of the table, after the versions and their speed.
    pub columns: &'static [Column],
    /// Oldest first.
    pub contenders: Vec<Contender>,
}

/// Something that is counted.
#[derive(Debug)]
pub struct Column {
    /// Its name in JSON.
    pub key: &'static str,
    /// Its name in the table.
    pub heading: &'static str,
    /// What it means, in words.
    pub meaning: &'static str,
    pub kind: Kind,
}

/// What to make of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A speed, which says nothing about right or wrong.
    Rate,
    /// Undesirable, but harmless.
    Harmless,
    /// Must be zero for a version that is meant to hold.
    Violation,
}

/// A version that takes part.
pub struct Contender {
    pub name: String,
    /// Whether it is meant to hold.
    pub sound: bool,
    /// Runs it until the clock says stop.
    pub work: Box<dyn Fn(&Clock) -> Counts>,
}

impl Contender {
    pub fn run(&self, clock: &Clock) -> Outcome {
        clock.begin(self.name.clone());
        let counts = (self.work)(clock);
        Outcome {
            version: self.name.clone(),
            sound: self.sound,
            elapsed: clock.elapsed(),
            cut_short: clock.is_interrupted(),
            counts,
        }
    }
}

/// What was counted.
#[derive(Debug, Default)]
pub struct Counts {
    pub operations: u64,
    counts: BTreeMap<&'static str, (Kind, u64)>,
}

impl Counts {
    pub fn add(&mut self, column: &Column, number: u64) {
        self.counts.entry(column.key).or_insert((column.kind, 0)).1 += number;
    }

    pub fn get(&self, column: &Column) -> u64 {
        self.counts.get(column.key).map_or(0, |(_, number)| *number)
    }
}

/// The outcome of one version.
#[derive(Debug)]
pub struct Outcome {
    pub version: String,
    pub sound: bool,
    pub elapsed: Duration,
    pub cut_short: bool,
    pub counts: Counts,
}

impl Outcome {
    pub fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.elapsed.as_secs_f64()
    }

    /// Whether nothing went wrong.
    pub fn held(&self) -> bool {
        let mut counts = self.counts.counts.values();
        counts.all(|(kind, number)| *kind != Kind::Violation || *number == 0)
    }

    /// Whether something went wrong that should not have.
    pub fn failed(&self) -> bool {
        self.sound && !self.held()
    }
}
