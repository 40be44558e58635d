//! Lookups while rings move and go.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use loom::thread::spawn;
use seqschedlock_sim::aio::remap::{Mm, PAGE_SIZE, Rules, Version};

use crate::world::{ELSEWHERE, NEW, explore, move_ring, must_hold, process, without};

/// One ring leaves, another one takes its place. A lookup there finds one of them or none, and not the first
/// one after that has left.
fn swap_and_lookup(rules: Rules) {
    explore(move || {
        let (process, at) = process(rules);
        let other = process.io_setup(1).unwrap();
        let [first, second] = [at, other].map(|id| process.lookup(id).unwrap().ring());
        let left = Arc::new(AtomicBool::new(false));
        let mover = spawn({
            let (process, left) = (Arc::clone(&process), Arc::clone(&left));
            move || {
                move_ring(&process, at, ELSEWHERE).unwrap();
                left.store(true, Release);
                move_ring(&process, other, at).unwrap();
            }
        });
        let user = spawn({
            let process = Arc::clone(&process);
            move || {
                let left = left.load(Acquire);
                let found = process.lookup(at).map(|user| user.ring());
                assert!(
                    found.is_none_or(|ring| ring == second || (ring == first && !left)),
                    "the id finds a ring that has left"
                );
            }
        });
        mover.join().unwrap();
        user.join().unwrap();
        assert_eq!(process.lookup(at).unwrap().ring(), second);
        must_hold(&process);
    });
}

#[test]
fn y2015_a_lookup_finds_the_ring_that_is_there() {
    swap_and_lookup(Version::Y2015.rules());
}

#[test]
fn commit_a_lookup_finds_the_ring_that_is_there() {
    swap_and_lookup(Version::Commit.rules());
}

/// The ring leaves, and memory of the process's own takes its place: zeros, which read as an index.
fn leave_and_lookup(rules: Rules) {
    explore(move || {
        let (process, at) = process(rules);
        let left = Arc::new(AtomicBool::new(false));
        let mover = spawn({
            let (process, left) = (Arc::clone(&process), Arc::clone(&left));
            move || {
                move_ring(&process, at, NEW).unwrap();
                left.store(true, Release);
                process.mmap(at, PAGE_SIZE).unwrap();
            }
        });
        let user = spawn({
            let process = Arc::clone(&process);
            move || {
                let left = left.load(Acquire);
                let found = process.lookup(at).is_some();
                assert!(!(left && found), "the id finds a ring that has left");
            }
        });
        mover.join().unwrap();
        user.join().unwrap();
    });
}

#[test]
fn y2015_a_lookup_does_not_find_a_ring_that_has_left() {
    leave_and_lookup(Version::Y2015.rules());
}

#[test]
#[should_panic(expected = "the id finds a ring that has left")]
fn a_lookup_that_does_not_compare_user_id_finds_a_ring_that_has_left() {
    leave_and_lookup(without(Version::Y2015, |steps| {
        steps.lookup_compares_user_id = false
    }));
}

/// A context is destroyed, and the next one gets its index, at another place. A lookup at the old place finds
/// the first or none.
fn reuse_and_lookup(rules: Rules) {
    explore(move || {
        let (process, at) = process(rules);
        let first = process.lookup(at).unwrap().ring();
        let next = spawn({
            let process = Arc::clone(&process);
            move || {
                process.io_destroy(at).unwrap();
                process.io_setup(1).unwrap();
            }
        });
        let user = spawn({
            let process = Arc::clone(&process);
            move || {
                let found = process.lookup(at).map(|user| user.ring());
                assert!(
                    found.is_none_or(|ring| ring == first),
                    "the id finds a ring that was never there"
                );
            }
        });
        next.join().unwrap();
        user.join().unwrap();
        must_hold(&process);
    });
}

#[test]
fn y2015_a_lookup_does_not_find_a_ring_that_was_never_there() {
    reuse_and_lookup(Version::Y2015.rules());
}

#[test]
#[should_panic(expected = "the id finds a ring that was never there")]
fn a_lookup_that_does_not_compare_user_id_finds_a_ring_that_was_never_there() {
    reuse_and_lookup(without(Version::Y2015, |steps| {
        steps.lookup_compares_user_id = false
    }));
}

fn destroy_and_lookup(rules: Rules) {
    explore(move || {
        let (process, at) = process(rules);
        let on = |act: fn(&Mm, u64)| {
            let process = Arc::clone(&process);
            spawn(move || act(&process, at))
        };
        let destroyer = on(|process, at| process.io_destroy(at).unwrap());
        let user = on(|process, at| drop(process.lookup(at)));
        destroyer.join().unwrap();
        user.join().unwrap();
        must_hold(&process);
    });
}

#[test]
fn y2015_a_lookup_does_not_find_a_freed_context() {
    destroy_and_lookup(Version::Y2015.rules());
}

#[test]
fn commit_a_lookup_does_not_find_a_freed_context() {
    destroy_and_lookup(Version::Commit.rules());
}

/// 1. the lookup finds the context in the table;
/// 2. the destroyer takes it out and gives the last reference back;
/// 3. the lookup takes one.
#[test]
#[should_panic(expected = "a freed context was used")]
fn a_lookup_that_does_not_try_revives_a_freed_context() {
    destroy_and_lookup(without(Version::Y2015, |steps| {
        steps.lookup_tries_to_get = false
    }));
}
