//! The workloads: how many pages, how they are loaded, read, invalidated and changed.

use std::time::Duration;

/// Readers read pages at random, while an invalidator invalidates and changes some of them.
#[derive(Debug)]
pub struct Workload {
    pub name: &'static str,
    /// The question that it answers.
    pub question: &'static str,
    pub pages: usize,
    /// The latency of a load.
    pub load: Duration,
    /// Readers evict the page they have read, one time in this many.
    pub evict: u32,
    pub invalidator: Option<Invalidator>,
}

#[derive(Debug)]
pub struct Invalidator {
    /// The number of neighbouring pages that are invalidated together.
    pub range: usize,
    /// The duration of the change, inside the section.
    pub change: Duration,
    /// From the start of one invalidation to the start of the next. Zero means without a pause.
    pub every: Duration,
}

const fn us(microseconds: u64) -> Duration {
    Duration::from_micros(microseconds)
}

pub const ALL: [Workload; 6] = [
    Workload {
        name: "a",
        question: "single pages that change all the time",
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
        question: "ranges, and a writer that holds its section half of the time",
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
        question: "ranges, and a writer that holds one section after the other",
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
        question: "no changes: the cost of protection that is not needed",
        pages: 256,
        load: us(50),
        evict: 2,
        invalidator: None,
    },
    Workload {
        name: "d",
        question: "four hot pages that are invalidated faster than they load",
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
        question: "slow loads, and a writer that may have to wait for them",
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
    /// The number of pages in a block of the pager.
    pub fn block(&self) -> usize {
        match &self.invalidator {
            Some(invalidator) => invalidator.range,
            None => 16,
        }
    }

    /// Describes the workload in one line.
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
                    true => format!("{how}, without a pause"),
                    false => format!("{how}, every {every:?}"),
                }
            }
        };
        format!("{name}: {question} ({pages} pages, loaded in {load:?}, {changes})")
    }
}
