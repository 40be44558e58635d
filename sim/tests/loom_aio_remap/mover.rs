//! A mover against a destroyer.

use std::sync::Arc;

use loom::thread::spawn;
use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::{Mm, PAGE_SIZE, Rules, Version, Violation};

use crate::world::{
    NEW, explore, explore_unbounded, move_ring, must_hold, must_not_be, process, without,
};

/// One thread: the ring is moved, then destroyed under its new id.
fn move_then_destroy(rules: Rules) {
    explore(move || {
        let (process, old) = process(rules);
        move_ring(&process, old, NEW).unwrap();
        must_hold(&process);
        process.io_destroy(NEW).unwrap();
        must_hold(&process);
    });
}

/// The ring is moved away, and something else is mapped at its old place; meanwhile the old id is destroyed.
fn move_and_destroy(rules: Rules) -> Arc<Mm> {
    let (process, old) = process(rules);
    let mover = spawn({
        let process = Arc::clone(&process);
        move || {
            let moved = move_ring(&process, old, NEW);
            if moved.is_ok() {
                process.mmap(old, PAGE_SIZE).unwrap();
            }
            moved
        }
    });
    let destroyer = spawn({
        let process = Arc::clone(&process);
        move || process.io_destroy(old)
    });
    let (moved, destroyed) = (mover.join().unwrap(), destroyer.join().unwrap());
    match (moved, destroyed) {
        // The last one was looked up before the move.
        (Ok(NEW), Err(Errno::Invalid) | Ok(())) => {}
        // Refused, or there was nothing left to move.
        (Err(Errno::Invalid | Errno::Fault), Ok(())) => {}
        other => panic!("the two answer {other:?}"),
    }
    process
}

fn holds(rules: Rules) {
    explore(move || must_hold(&move_and_destroy(rules)));
}

fn shows(version: Version, kind: fn(&Violation) -> bool) {
    explore(move || must_not_be(&move_and_destroy(version.rules()), kind));
}

#[test]
#[should_panic(expected = "but its user_id is")]
fn without_a_hook_a_ring_that_moved_has_the_wrong_id() {
    move_then_destroy(Version::NoHook.rules());
}

#[test]
#[should_panic(expected = "but no context has that id")]
fn without_a_hook_the_new_place_is_no_id() {
    explore(|| {
        let (process, old) = process(Version::NoHook.rules());
        move_ring(&process, old, NEW).unwrap();
        must_not_be(&process, |violation| {
            matches!(violation, Violation::NewIdUnknown { .. })
        });
    });
}

#[test]
fn every_hook_lets_a_ring_move_and_then_be_destroyed() {
    for version in Version::ALL {
        if version != Version::NoHook {
            move_then_destroy(version.rules());
        }
    }
}

/// No race is needed: the old place has a page of zeros, and 0 is the index of the first context.
#[test]
#[should_panic(expected = "unmapped 1 pages that were not of its ring")]
fn without_a_hook_an_innocent_page_is_unmapped() {
    shows(Version::NoHook, |violation| {
        matches!(violation, Violation::InnocentUnmapped { .. })
    });
}

#[test]
#[should_panic(expected = "but the ring is left at")]
fn without_a_hook_the_ring_is_left() {
    shows(Version::NoHook, |violation| {
        matches!(violation, Violation::RingLeft { .. })
    });
}

#[test]
#[should_panic(expected = "but its user_id is")]
fn without_a_hook_the_id_is_wrong() {
    shows(Version::NoHook, |violation| {
        matches!(violation, Violation::UserId { .. })
    });
}

/// 1. the destroyer marks the context, and takes it out of the table;
/// 2. the hook does not find it, and lets the move stand;
/// 3. something else is mapped at the old place;
/// 4. the destroyer unmaps that.
#[test]
#[should_panic(expected = "unmapped 1 pages that were not of its ring")]
fn y2014_an_innocent_page_is_unmapped() {
    shows(Version::Y2014, |violation| {
        matches!(violation, Violation::InnocentUnmapped { .. })
    });
}

/// The same without 3.
#[test]
#[should_panic(expected = "but the ring is left at")]
fn y2014_the_ring_is_left() {
    shows(Version::Y2014, |violation| {
        matches!(violation, Violation::RingLeft { .. })
    });
}

#[test]
fn y2015_holds() {
    holds(Version::Y2015.rules());
}

#[test]
fn y2015_holds_in_every_interleaving() {
    explore_unbounded(|| must_hold(&move_and_destroy(Version::Y2015.rules())));
}

#[test]
fn y2023_holds() {
    holds(Version::Y2023.rules());
}

#[test]
fn y2026_holds() {
    holds(Version::Y2026.rules());
}

#[test]
fn commit_holds() {
    holds(Version::Commit.rules());
}

#[test]
fn commit_holds_in_every_interleaving() {
    explore_unbounded(|| must_hold(&move_and_destroy(Version::Commit.rules())));
}

/// What the kernel does, rightly, since its hook refuses:
///
/// 1. the mover has its stamp, and moves the ring;
/// 2. the destroyer begins its section, and reads the old place or the new one;
/// 3. the mover commits, too late or just in time: in both cases the ring can lie at the other place;
/// 4. the destroyer unmaps where it is not.
#[test]
#[should_panic(expected = "but the ring is left at")]
fn commit_leaves_the_ring_if_its_place_is_read_too_early() {
    let rules = without(Version::Commit, |steps| {
        steps.base_is_read_in_mmap_sem = false
    });
    explore(move || {
        must_not_be(&move_and_destroy(rules), |violation| {
            matches!(violation, Violation::RingLeft { .. })
        });
    });
}

/// This twin does not die: once the place is read under `mmap_sem`, no invariant needs the commit. See the
/// documentation of `remap`.
#[test]
fn commit_holds_in_every_interleaving_without_the_commit() {
    let rules = without(Version::Commit, |steps| steps.mover_commits = false);
    explore_unbounded(move || must_hold(&move_and_destroy(rules)));
}
