//! Ring pages: reads, completions and setups, while all pages are moved all the time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use seqschedlock_sim::aio::ring::{Buffer, Mm, Receipts, Version, Violation};

use crate::clock::{Clock, interrupt};
use crate::system::{Column, Contender, Counts, FREED_CONTEXTS, Kind, System};

/// How long the threads run before everything is checked and they start afresh. One thing that breaks should
/// not hide others.
const ROUND: Duration = Duration::from_millis(20);

const OPERATIONS: Column = Column {
    key: "operations",
    heading: "operations/s",
    meaning: "events completed, pages moved, and contexts set up and destroyed, in all",
    kind: Kind::Rate,
};
const MOVES: Column = Column {
    key: "pages_moved",
    heading: "moves/s",
    meaning: "pages moved; a page in use stays where it is",
    kind: Kind::Rate,
};
const LOST: Column = Column {
    key: "events_lost",
    heading: "events lost",
    meaning: "events that were completed and never read: a program waits for ever",
    kind: Kind::Violation,
};
const DOUBLED: Column = Column {
    key: "events_doubled",
    heading: "doubled",
    meaning: "events that were read again, or read before they were written",
    kind: Kind::Violation,
};
const HEADS: Column = Column {
    key: "heads_lost",
    heading: "heads lost",
    meaning: "a reader wrote how far it had read, and that was lost",
    kind: Kind::Violation,
};
const TAILS: Column = Column {
    key: "tails_lost",
    heading: "tails lost",
    meaning: "a completion wrote where the next event goes, and that was lost",
    kind: Kind::Violation,
};
const IDS: Column = Column {
    key: "ids_lost",
    heading: "ids lost",
    meaning: "contexts that could never be looked up after their setup",
    kind: Kind::Violation,
};
const PAGES: Column = Column {
    key: "freed_pages_touched",
    heading: "freed pages",
    meaning: "pages that were read or written after they had been freed",
    kind: Kind::Violation,
};
const PUT_TWICE: Column = Column {
    key: "put_twice",
    heading: "put twice",
    meaning: "pages or contexts that were freed a second time",
    kind: Kind::Violation,
};
const DEADLOCKS: Column = Column {
    key: "deadlocks",
    heading: "deadlocks",
    meaning: "threads that would have waited for one another for ever",
    kind: Kind::Violation,
};
const OTHER: Column = Column {
    key: "other",
    heading: "other",
    meaning: "pages leaked or left in the cache, locks taken in the wrong order, and the like",
    kind: Kind::Violation,
};

pub fn system() -> System {
    let contender = |version: Version| Contender {
        name: version.name.to_owned(),
        sound: version.sound,
        work: Box::new(move |clock| Ok(run(version, clock))),
    };
    // No version went without these locks. This is what they are for.
    let twins = [
        Version {
            name: "seed, no page lock",
            page_lock: false,
            ..Version::SEED
        },
        Version {
            name: "merged, no completion_lock",
            sound: false,
            completion_lock: false,
            ..Version::MERGED
        },
    ];
    System {
        name: "ring",
        title: "ring: events are completed and read, and contexts come and go, while their pages are moved"
            .to_owned(),
        columns: &[
            OPERATIONS, MOVES, LOST, DOUBLED, HEADS, TAILS, IDS, PAGES, FREED_CONTEXTS, PUT_TWICE, DEADLOCKS, OTHER,
        ],
        contenders: Version::ALL
            .into_iter()
            .chain(twins)
            .map(contender)
            .collect(),
    }
}

fn run(version: Version, clock: &Clock) -> Counts {
    let mut counts = Counts::default();
    let mut random = Rng::with_seed(2014);
    while clock.goes_on() {
        round(version, clock, &mut random, &mut counts);
    }
    counts
}

/// Runs a process whose ring has traffic, and a process whose contexts come and go.
fn round(version: Version, clock: &Clock, random: &mut Rng, counts: &mut Counts) {
    let traffic = Mm::with_pauses(version, interrupt);
    let churn = Mm::with_pauses(version, interrupt);
    let id = traffic
        .io_setup(1)
        .expect("nobody else has contexts in this process");
    let stop = AtomicBool::new(false);
    let mut receipts = Receipts::default();
    let (mut completed, mut moved, mut set_up, mut ids_lost) = (0, 0, 0, 0);
    thread::scope(|threads| {
        let (traffic, churn, stop) = (&traffic, &churn, &stop);
        let completing = threads.spawn(move || complete(traffic, id, stop));
        let mut own = random.fork();
        let reading = threads.spawn(move || read(traffic, id, stop, &mut own));
        let mut own = random.fork();
        let moving = threads.spawn(move || move_pages(traffic, id, churn, stop, &mut own));
        let churning = threads.spawn(move || set_up_and_destroy(churn, stop));
        clock.nap(ROUND);
        stop.store(true, Relaxed);
        completed = completing.join().expect("a completion does not panic");
        receipts = reading.join().expect("a reader does not panic");
        moved = moving.join().expect("a migration does not panic");
        (set_up, ids_lost) = churning.join().expect("a setup does not panic");
    });
    counts.add(&OPERATIONS, completed + moved + set_up);
    counts.add(&MOVES, moved);
    counts.add(&IDS, ids_lost);

    read_the_rest(&traffic, id, &mut receipts);
    counts.add(&LOST, receipts.lost_of(completed));
    counts.add(&DOUBLED, receipts.doubled + receipts.unwritten);
    for process in [&traffic, &churn] {
        count_violations(process, counts);
    }
}

/// Interrupts that put numbered events into the ring. Returns how many.
fn complete(traffic: &Arc<Mm>, id: u64, stop: &AtomicBool) -> u64 {
    let mut completed = 0;
    let Ok(context) = traffic.context(id) else {
        return 0;
    };
    while !stop.load(Relaxed) {
        match context.io_submit() {
            Ok(request) => {
                completed += 1;
                request.complete(completed);
            }
            Err(_) => thread::yield_now(),
        }
    }
    completed
}

/// A program that takes them out.
fn read(traffic: &Arc<Mm>, id: u64, stop: &AtomicBool, random: &mut Rng) -> Receipts {
    let mut receipts = Receipts::default();
    let Ok(context) = traffic.context(id) else {
        return receipts;
    };
    while !stop.load(Relaxed) {
        let buffer = match random.bool() {
            true => Buffer::Present,
            false => Buffer::Faulting,
        };
        match context.read_events(random.usize(1..9), buffer) {
            Ok(events) if !events.is_empty() => receipts.receive(&events),
            _ => thread::yield_now(),
        }
    }
    receipts
}

/// Compaction, and a process that moves its own pages. Returns how many were moved.
fn move_pages(traffic: &Mm, id: u64, churn: &Mm, stop: &AtomicBool, random: &mut Rng) -> u64 {
    let mut moved = 0;
    while !stop.load(Relaxed) {
        let answers = [
            traffic.compact(random.usize(..)),
            traffic.move_pages(id, 0),
            churn.compact(random.usize(..)),
        ];
        moved += answers.iter().filter(|answer| answer.is_ok()).count() as u64;
    }
    moved
}

/// Contexts that come and go. Returns how many, and how many of them could not be looked up.
fn set_up_and_destroy(churn: &Arc<Mm>, stop: &AtomicBool) -> (u64, u64) {
    let (mut set_up, mut ids_lost) = (0, 0);
    while !stop.load(Relaxed) {
        let Ok(id) = churn.io_setup(1) else {
            continue;
        };
        set_up += 1;
        if churn.io_destroy(id).is_err() {
            ids_lost += 1;
            churn.exit_aio(); // the only way to get rid of it
        }
    }
    (set_up, ids_lost)
}

fn read_the_rest(traffic: &Arc<Mm>, id: u64, receipts: &mut Receipts) {
    let Ok(context) = traffic.context(id) else {
        return;
    };
    // Twice, in case the ring is broken and goes round.
    for _ in 0..2 {
        if let Ok(events) = context.read_events(usize::MAX, Buffer::Present) {
            receipts.receive(&events);
        }
    }
}

/// Counts what a process has reported, and what is wrong at its end.
fn count_violations(process: &Mm, counts: &mut Counts) {
    let mut at_rest: BTreeSet<_> = process.check().err().into_iter().flatten().collect();
    process.exit_aio();
    at_rest.extend(process.check().err().into_iter().flatten());
    let mut findings = process.findings();
    for violation in at_rest {
        findings.entry(violation).or_insert(1);
    }
    for (violation, number) in &findings {
        if let Some(column) = column(violation) {
            counts.add(column, *number);
        }
    }
}

fn column(violation: &Violation) -> Option<&'static Column> {
    Some(match violation {
        Violation::HeadLost => &HEADS,
        Violation::TailLost => &TAILS,
        Violation::FreedPageTouched => &PAGES,
        Violation::FreedContextTouched => &FREED_CONTEXTS,
        Violation::PagePutTwice | Violation::ContextPutTwice => &PUT_TWICE,
        Violation::Deadlock => &DEADLOCKS,
        // Counted where the lookup fails.
        Violation::IdLost { .. } => return None,
        _ => &OTHER,
    })
}
