//! Retries: a task submits requests and runs what is on the run list, while interrupts wake them.

use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use fastrand::Rng;
use seqschedlock_sim::aio::retry::{Kioctx, Looks, RetryMethod, Version, Violation, WaitQueue};

use crate::clock::{Clock, interrupt};
use crate::system::{Column, Contender, Counts, FREED_CONTEXTS, Kind, System};

/// How many requests are made between two looks at the clock.
const BATCH: u64 = 1000;

const OPERATIONS: Column = Column {
    key: "operations",
    heading: "requests/s",
    meaning: "requests that were submitted, each in a context of its own",
    kind: Kind::Rate,
};
const LOST: Column = Column {
    key: "retries_lost",
    heading: "retries lost",
    meaning: "requests that will never run again, although their condition has come true",
    kind: Kind::Violation,
};
const DOUBLED: Column = Column {
    key: "retries_doubled",
    heading: "doubled",
    meaning: "requests that ran twice at the same time, were queued twice, or ended twice",
    kind: Kind::Violation,
};
const TOO_EARLY: Column = Column {
    key: "retries_too_early",
    heading: "too early",
    meaning: "requests that were kicked, run or ended while they were still waiting",
    kind: Kind::Violation,
};
const SPURIOUS: Column = Column {
    key: "retries_for_nothing",
    heading: "for nothing",
    meaning: "retries that looked again, found nothing to do, and did no harm",
    kind: Kind::Harmless,
};
const REQUESTS: Column = Column {
    key: "freed_requests_touched",
    heading: "freed requests",
    meaning: "requests that were used after they had been freed",
    kind: Kind::Violation,
};
const OTHER: Column = Column {
    key: "other",
    heading: "other",
    meaning: "references that were not put, locks taken in the wrong order, and the like",
    kind: Kind::Violation,
};

pub fn system() -> System {
    let both = [(Looks::Once, "looks once"), (Looks::Twice, "looks twice")];
    let mut contenders: Vec<_> = Version::ALL
        .into_iter()
        .flat_map(|version| both.map(|(looks, name)| contender(version, looks, name, false)))
        .collect();
    // What Suzuki's patch leaves open.
    let destroyed = contender(Version::SUZUKI, Looks::Once, "context destroyed", true);
    contenders.push(Contender {
        sound: false,
        ..destroyed
    });
    System {
        name: "retry",
        title: "retry: a task submits requests that wait once or twice, and interrupts wake them"
            .to_owned(),
        columns: &[
            OPERATIONS,
            LOST,
            DOUBLED,
            TOO_EARLY,
            SPURIOUS,
            REQUESTS,
            FREED_CONTEXTS,
            OTHER,
        ],
        contenders,
    }
}

fn contender(version: Version, looks: Looks, what: &str, destroys: bool) -> Contender {
    Contender {
        name: format!("{}, {what}", version.name),
        sound: match looks {
            Looks::Once => version.sound_for_one_look,
            Looks::Twice => version.sound_for_two_looks,
        },
        work: Box::new(move |clock| Ok(run(version, looks, destroys, clock))),
    }
}

/// How the submitter hands the queues of a request to the waker.
#[derive(Default)]
struct Handover {
    queues: Mutex<Vec<Arc<WaitQueue>>>,
    /// The number of the last request that was handed over, and of the last one that has been woken.
    handed: AtomicU64,
    woken: AtomicU64,
}

/// In place of a number: the waker ends.
const END: u64 = u64::MAX;

fn run(version: Version, looks: Looks, destroys: bool, clock: &Clock) -> Counts {
    let mut counts = Counts::default();
    let mut requests = 0;
    let handover = Handover::default();
    let mut random = Rng::with_seed(2005);
    thread::scope(|threads| {
        let mut own = random.fork();
        let handover = &handover;
        threads.spawn(move || wake(handover, &mut own));
        while clock.goes_on() {
            for _ in 0..BATCH {
                requests += 1;
                let waits = 1 + random.usize(..2);
                let context = request(version, looks, waits, destroys, handover, requests);
                count_violations(&context, &mut counts);
            }
        }
        handover.handed.store(END, Release);
    });
    counts.add(&OPERATIONS, requests);
    counts
}

/// Interrupts: wakes the queues of each request, one after the other.
fn wake(handover: &Handover, random: &mut Rng) {
    let mut last = 0;
    loop {
        let handed = handover.handed.load(Acquire);
        if handed == END {
            return;
        }
        if handed == last {
            thread::yield_now();
            continue;
        }
        last = handed;
        let queues = {
            let mut queues = handover
                .queues
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *queues)
        };
        for queue in queues {
            // Sometimes before the request gets there, sometimes after.
            for _ in 0..random.u32(..200) {
                std::hint::spin_loop();
            }
            queue.wake_up();
        }
        handover.woken.store(handed, Release);
    }
}

/// One request in a context of its own, from its beginning until everything is at rest.
fn request(
    version: Version,
    looks: Looks,
    waits: usize,
    destroys: bool,
    handover: &Handover,
    number: u64,
) -> Arc<Kioctx> {
    let context = Kioctx::with_pauses(version, interrupt);
    let queues: Vec<_> = (0..waits).map(|_| context.wait_queue()).collect();
    *handover
        .queues
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = queues.clone();
    handover.handed.store(number, Release);

    context.io_submit(RetryMethod::new(looks, &queues));
    let mut destroyed = false;
    while handover.woken.load(Acquire) != number {
        if !destroyed {
            context.work();
            destroyed = destroys && context.io_destroy().is_ok();
        }
        thread::yield_now();
    }
    if !destroyed {
        context.work();
    }
    context
}

fn count_violations(context: &Kioctx, counts: &mut Counts) {
    let findings = context.findings();
    let at_rest = context.check().err().into_iter().flatten();
    let at_rest = at_rest.filter(|violation| !findings.contains_key(violation));
    for violation in at_rest {
        counts.add(column(&violation), 1);
    }
    for (violation, number) in &findings {
        counts.add(column(violation), *number);
    }
}

fn column(violation: &Violation) -> &'static Column {
    match violation {
        Violation::WakeupLost { .. } => &LOST,
        Violation::TwoRetries | Violation::QueuedTwice | Violation::CompletedTwice => &DOUBLED,
        Violation::KickedWhileWaiting
        | Violation::RetryWhileWaiting
        | Violation::CompletedWhileWaiting => &TOO_EARLY,
        Violation::SpuriousRetry => &SPURIOUS,
        Violation::FreedIocbTouched => &REQUESTS,
        Violation::FreedContextTouched => &FREED_CONTEXTS,
        _ => &OTHER,
    }
}
