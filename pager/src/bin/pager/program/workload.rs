//! What threads do to a pager: the workloads that `docs/benchmarks.md` has figures of.

use std::time::Duration;

/// Readers read pages at random; an invalidator invalidates some now and then and changes them.
#[derive(Debug)]
pub struct Workload {
    pub name: &'static str,
    /// What it asks.
    pub question: &'static str,
    pub pages: usize,
    /// How long a load takes.
    pub load: Duration,
    /// Readers give the page that they have read back, one time in so many.
    pub evict: u32,
    pub invalidator: Option<Invalidator>,
}

#[derive(Debug)]
pub struct Invalidator {
    /// How many pages, side by side.
    pub range: usize,
    /// How long the change takes, inside the section.
    pub change: Duration,
    /// From the beginning of one to the beginning of the next. Zero: at once again.
    pub every: Duration,
}

const fn us(microseconds: u64) -> Duration {
    Duration::from_micros(microseconds)
}

pub const ALL: [Workload; 6] = [
    Workload {
        name: "a",
        question: "single pages, changed all the time",
        pages: 64,
        load: us(50),
        evict: 64,
        invalidator: Some(Invalidator {
            range: 1,
            change: us(50),
            every: us(150),
        }),
    },
    Workload {
        name: "b",
        question: "ranges, changed by a writer who sleeps half of the time",
        pages: 1024,
        load: us(50),
        evict: 2,
        invalidator: Some(Invalidator {
            range: 16,
            change: us(1000),
            every: us(2000),
        }),
    },
    Workload {
        name: "b1",
        question: "ranges, one change after the other",
        pages: 1024,
        load: us(50),
        evict: 2,
        invalidator: Some(Invalidator {
            range: 16,
            change: us(1000),
            every: us(0),
        }),
    },
    Workload {
        name: "c",
        question: "no changes: what protection costs where it is not needed",
        pages: 256,
        load: us(50),
        evict: 2,
        invalidator: None,
    },
    Workload {
        name: "d",
        question: "four hot pages, invalidated faster than they are loaded",
        pages: 4,
        load: us(50),
        evict: 64,
        invalidator: Some(Invalidator {
            range: 1,
            change: us(0),
            every: us(30),
        }),
    },
    Workload {
        name: "e",
        question: "slow loads: how long does a writer wait for them?",
        pages: 64,
        load: us(5000),
        evict: 2,
        invalidator: Some(Invalidator {
            range: 16,
            change: us(0),
            every: us(5000),
        }),
    },
];

impl Workload {
    /// The blocks in which its pages are invalidated.
    pub fn block(&self) -> usize {
        match &self.invalidator {
            Some(invalidator) => invalidator.range,
            None => 16,
        }
    }

    /// In one line.
    pub fn describe(&self) -> String {
        let Self {
            name,
            question,
            pages,
            load,
            ..
        } = self;
        let changes = match &self.invalidator {
            None => "never changed".to_owned(),
            Some(Invalidator {
                range,
                change,
                every,
            }) => {
                let how = match (*range, change.is_zero()) {
                    (1, true) => "changed one at a time".to_owned(),
                    (1, false) => format!("changed one at a time for {change:?}"),
                    (range, true) => format!("changed {range} at a time"),
                    (range, false) => format!("changed {range} at a time for {change:?}"),
                };
                match every.is_zero() {
                    true => format!("{how}, at once again"),
                    false => format!("{how}, every {every:?}"),
                }
            }
        };
        format!("{name}: {question} ({pages} pages, loaded in {load:?}, {changes})")
    }
}
