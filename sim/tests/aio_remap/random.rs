//! Random calls on one thread. There is no race, so every version with a hook keeps every invariant, and a call that
//! fails has changed nothing.

use proptest::prelude::*;
use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::{Mm, Protection, Request, Snapshot, Version};

use crate::world::{FIXED, PAGE};

/// The number of places for rings, four pages each; what is destroyed may reach a little further.
const PLACES: u64 = 16;
const BASE: u64 = 0x1000_0000;

#[derive(Clone, Copy, Debug)]
enum Call {
    Setup {
        requests: u32,
        to: u64,
    },
    Move {
        from: u64,
        pages: u64,
        to: u64,
    },
    Shrink {
        from: u64,
        pages: u64,
    },
    Munmap {
        at: u64,
        pages: u64,
    },
    Mmap {
        at: u64,
        pages: u64,
    },
    Mprotect {
        at: u64,
        pages: u64,
        protection: usize,
    },
    Submit {
        id: u64,
        data: u64,
    },
    Getevents {
        id: u64,
    },
    Store {
        at: u64,
        word: u32,
    },
    Destroy {
        id: u64,
    },
}

fn call() -> impl Strategy<Value = Call> {
    let place = || 0..PLACES * 4;
    let pages = || 1..5_u64;
    let requests = prop_oneof![Just(1), Just(100), Just(200)];
    prop_oneof![
        3 => (requests, place()).prop_map(|(requests, to)| Call::Setup { requests, to }),
        8 => (place(), pages(), place()).prop_map(|(from, pages, to)| Call::Move { from, pages, to }),
        1 => (place(), pages()).prop_map(|(from, pages)| Call::Shrink { from, pages }),
        1 => (place(), pages()).prop_map(|(at, pages)| Call::Munmap { at, pages }),
        2 => (place(), pages()).prop_map(|(at, pages)| Call::Mmap { at, pages }),
        1 => (place(), pages(), 0..3_usize)
            .prop_map(|(at, pages, protection)| Call::Mprotect { at, pages, protection }),
        2 => (place(), any::<u64>()).prop_map(|(id, data)| Call::Submit { id, data }),
        1 => place().prop_map(|id| Call::Getevents { id }),
        1 => (place(), 0..4_u32).prop_map(|(at, word)| Call::Store { at, word }),
        3 => place().prop_map(|id| Call::Destroy { id }),
    ]
}

fn at(page: u64) -> u64 {
    BASE + page * PAGE
}

/// Every other place is the start of something that is mapped, so that not everything fails.
fn near(process: &Mm, page: u64) -> u64 {
    let pages: Vec<u64> = process.snapshot().pages.into_keys().collect();
    match page % 2 {
        0 if !pages.is_empty() => pages[page as usize / 2 % pages.len()],
        _ => at(page),
    }
}

fn make(process: &Mm, call: Call) -> Result<(), Errno> {
    match call {
        Call::Setup { requests, to } => {
            let id = process.io_setup(requests)?;
            let ring = process.lookup(id).expect("it is new").ring();
            let pages = process.snapshot().pages;
            let length = pages.values().filter(|page| page.number == ring).count() as u64 * PAGE;
            process.mremap(id, length, length, FIXED, at(to))?;
        }
        Call::Move { from, pages, to } => {
            let from = near(process, from);
            let length = pages * PAGE;
            let (old, before) = (from..from + length, process.snapshot());
            let target = at(to)..at(to) + length;
            let answer = process.mremap(old.start, length, length, FIXED, target.start);
            if answer.is_err() && !is_half_done(&before, process, &old) {
                let same = before.unchanged_but(&process.snapshot(), &[target, 0..0], &[]);
                assert_eq!(same, Ok(()), "{call:?}");
            }
            answer?;
        }
        Call::Shrink { from, pages } => {
            let from = near(process, from);
            process.mremap(from, (pages + 1) * PAGE, pages * PAGE, 0, 0)?;
        }
        Call::Munmap { at: page, pages } => process.munmap(near(process, page), pages * PAGE)?,
        Call::Mmap { at: page, pages } => {
            process.mmap(at(page), pages * PAGE)?;
        }
        Call::Mprotect {
            at: page,
            pages,
            protection,
        } => {
            let all = [Protection::None, Protection::Read, Protection::ReadWrite];
            process.mprotect(near(process, page), pages * PAGE, all[protection])?;
        }
        Call::Submit { id, data } => {
            process.io_submit(near(process, id), Request::Read { data })?;
        }
        Call::Getevents { id } => {
            process.io_getevents(near(process, id), 0, 3)?;
        }
        Call::Store { at: page, word } => {
            process.store(near(process, page), word);
        }
        Call::Destroy { id } => {
            let id = near(process, id);
            let found = process.lookup(id).map(|user| user.ring());
            process.io_destroy(id)?;
            // What is left must not be touched.
            let pages = process.snapshot().pages.into_iter();
            let left = pages.filter(|(_, page)| page.ring && Some(page.number) == found);
            for (at, _) in left {
                process.munmap(at, PAGE)?;
            }
        }
    }
    Ok(())
}

/// A range of several areas of which the first ones have moved already.
fn is_half_done(before: &Snapshot, process: &Mm, old: &core::ops::Range<u64>) -> bool {
    let now = process.snapshot();
    before.pages.get(&old.start) != now.pages.get(&old.start)
}

fn keeps_every_invariant(version: Version) {
    proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() },
        |(calls in prop::collection::vec(call(), 1..60))| {
        let process = Mm::new(version.rules());
        for call in calls {
            let _ = make(&process, call);
            prop_assert_eq!(process.check(), Ok(()), "after {:?}", call);
        }
        process.exit();
        prop_assert_eq!(process.check(), Ok(()), "after the end");
    });
}

#[test]
fn y2014_keeps_every_invariant_without_a_race() {
    keeps_every_invariant(Version::Y2014);
}

#[test]
fn y2015_keeps_every_invariant() {
    keeps_every_invariant(Version::Y2015);
}

#[test]
fn y2026_keeps_every_invariant() {
    keeps_every_invariant(Version::Y2026);
}

#[test]
fn commit_keeps_every_invariant() {
    keeps_every_invariant(Version::Commit);
}
