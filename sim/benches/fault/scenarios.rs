//! What threads fault in, and what goes on beside them.

use std::time::Duration;

/// Pages in a large file. With fewer, a fault is mostly held up by the invalidation of its own page,
/// whatever the policy.
const MANY: u64 = 16_384;

#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    /// Pages in the file; all of them are faulted in at random.
    pub pages: u64,
    pub invalidator: Option<Invalidator>,
}

/// A thread that invalidates pages.
#[derive(Clone, Copy)]
pub struct Invalidator {
    /// How many pages it invalidates with one call.
    pub range: u64,
    /// How long it sleeps in the middle of each page, as file systems do.
    pub inside: Duration,
    /// How long it sleeps between two calls.
    pub between: Duration,
}

pub const SCENARIOS: [Scenario; 9] = [
    hot("many pages, no invalidator", MANY),
    beside(
        "one page at a time, no sleep inside, every 1 ms",
        1,
        0,
        1_000,
    ),
    beside(
        "one page at a time, sleeps 100 µs inside, at once again",
        1,
        100,
        0,
    ),
    beside(
        "one page at a time, sleeps 1 ms inside, every 2 ms",
        1,
        1_000,
        1_000,
    ),
    beside(
        "one page at a time, sleeps 1 ms inside, at once again",
        1,
        1_000,
        0,
    ),
    beside(
        "16 pages at a time, sleeps 1 ms in each, at once again",
        16,
        1_000,
        0,
    ),
    hot("the same 64 pages, no invalidator", 64),
    hot("the same 4 pages, no invalidator", 4),
    hot("the same page, no invalidator", 1),
];

const fn beside(name: &'static str, range: u64, inside_us: u64, between_us: u64) -> Scenario {
    let invalidator = Invalidator {
        range,
        inside: Duration::from_micros(inside_us),
        between: Duration::from_micros(between_us),
    };
    Scenario {
        name,
        pages: MANY,
        invalidator: Some(invalidator),
    }
}

const fn hot(name: &'static str, pages: u64) -> Scenario {
    Scenario {
        name,
        pages,
        invalidator: None,
    }
}
