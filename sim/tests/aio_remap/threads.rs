//! Real threads.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use core::time::Duration;
use std::thread;
use std::time::Instant;

use seqschedlock_sim::aio::remap::{Mm, Version, Violation, mover_against_destroyer};

use crate::world::{A, B, FIXED, PAGE};

/// Nothing here waits for long. A test that does is stuck.
const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn a_mover_and_a_destroyer_break_nothing_under_sound_versions() {
    for version in Version::ALL.into_iter().filter(|version| version.holds()) {
        let tally = mover_against_destroyer(version.rules(), |tally| tally.rounds < 2_000);
        assert!(tally.holds(), "{}: {tally:?}", version.name());
        let outcomes = [
            tally.moved,
            tally.moved_and_destroyed,
            tally.refused,
            tally.too_late,
        ];
        assert_eq!(outcomes.iter().sum::<u64>(), tally.rounds, "{tally:?}");
    }
}

/// Each of these needs a race that happens sooner or later; how soon is up to the machine.
#[test]
fn the_first_hook_comes_too_late_sooner_or_later() {
    let deadline = Instant::now() + DEADLINE;
    let found = mover_against_destroyer(Version::Y2014.rules(), |tally| {
        tally.holds() && Instant::now() < deadline
    });
    assert!(!found.holds(), "no race within {DEADLINE:?}: {found:?}");
    assert_ne!(found.rings_left, 0, "{found:?}");
}

#[test]
fn without_a_hook_most_rounds_go_wrong() {
    let tally = mover_against_destroyer(Version::NoHook.rules(), |tally| tally.rounds < 2_000);
    assert!(!tally.holds(), "{tally:?}");
}

/// Says that it is over when it is dropped, so that a panic does not leave the other thread running.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// A ring moves back and forth while `process` is observed, until this many looks were valid.
fn observe(process: &Mm, looks: u32) -> Vec<Violation> {
    let stop = AtomicBool::new(false);
    let ring = process.io_setup(1).unwrap();
    process.mremap(ring, PAGE, PAGE, FIXED, A).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut at = (A, B);
            while !stop.load(Relaxed) {
                process.mremap(at.0, PAGE, PAGE, FIXED, at.1).unwrap();
                at = (at.1, at.0);
                thread::yield_now();
            }
        });
        let stop = Stop(&stop);
        let deadline = Instant::now() + DEADLINE;
        let mut found = Vec::new();
        let mut done = 0;
        while done < looks && found.is_empty() {
            match process.observe() {
                Some(checked) => {
                    done += 1;
                    found = checked.err().unwrap_or_default();
                }
                None if Instant::now() < deadline => thread::yield_now(),
                None => break,
            }
        }
        drop(stop);
        assert!(done != 0, "no look was valid within {DEADLINE:?}");
        found
    })
}

#[test]
fn an_observer_finds_nothing_where_nothing_is_wrong() {
    let process = Mm::observed(Version::Y2023.rules());
    assert_eq!(observe(&process, 1_000), []);
}

#[test]
fn an_observer_finds_what_is_wrong() {
    let process = Mm::observed(Version::NoHook.rules());
    let found = observe(&process, 1_000);
    assert!(
        matches!(found[..], [Violation::UserId { .. }, ..]),
        "{found:?}"
    );
}

#[test]
#[should_panic(expected = "says when it changes")]
fn a_process_that_was_not_made_for_it_is_not_observed() {
    let _ = Mm::new(Version::Y2023.rules()).observe();
}
