//! A system with its versions, and the outcome of a version.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Clock;
use crate::terminal::interrupted;

/// One of the systems.
pub struct System {
    /// What `--only` and JSON call it.
    pub name: &'static str,
    /// The line above its table.
    pub title: String,
    /// In the order of the table, after the versions.
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
    /// Worth knowing, and harmless.
    Harmless,
    /// Must be zero for a version that is meant to hold.
    Violation,
}

/// In two of the systems.
pub const FREED_CONTEXTS: Column = Column {
    key: "freed_contexts_touched",
    heading: "freed contexts",
    meaning: "contexts that were used after they had been freed",
    kind: Kind::Violation,
};

/// Runs a version until the clock says stop, or says why it cannot run here.
type Work = Box<dyn Fn(&Clock) -> Result<Counts, String>>;

/// A version that takes part.
pub struct Contender {
    pub name: String,
    /// Whether it is meant to hold.
    pub sound: bool,
    pub work: Work,
}

impl Contender {
    pub fn run(&self, clock: &Clock) -> Outcome {
        clock.begin(self.name.clone());
        let worked = (self.work)(clock);
        Outcome {
            version: self.name.clone(),
            sound: self.sound,
            elapsed: clock.elapsed(),
            cut_short: interrupted(),
            skipped: worked.as_ref().err().cloned(),
            counts: worked.unwrap_or_default(),
        }
    }
}

/// What was counted.
#[derive(Debug, Default)]
pub struct Counts(BTreeMap<&'static str, (Kind, u64)>);

impl Counts {
    pub fn add(&mut self, column: &Column, number: u64) {
        self.0.entry(column.key).or_insert((column.kind, 0)).1 += number;
    }

    pub fn get(&self, column: &Column) -> u64 {
        self.0.get(column.key).map_or(0, |(_, number)| *number)
    }
}

/// The outcome of one version.
#[derive(Debug)]
pub struct Outcome {
    pub version: String,
    pub sound: bool,
    pub elapsed: Duration,
    pub cut_short: bool,
    /// Why it could not run.
    pub skipped: Option<String>,
    pub counts: Counts,
}

impl Outcome {
    pub fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.elapsed.as_secs_f64()
    }

    /// Whether nothing went wrong.
    pub fn held(&self) -> bool {
        let mut counts = self.counts.0.values();
        counts.all(|(kind, number)| *kind != Kind::Violation || *number == 0)
    }

    /// Whether something went wrong that should not have.
    pub fn failed(&self) -> bool {
        self.sound && !self.held()
    }
}
