//! Two destroyers of one context: exactly one is told that it did.

use std::sync::Arc;

use loom::thread::spawn;
use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::{Rules, Version};

use crate::world::{explore, must_hold, process, without};

fn two_destroyers(rules: Rules) {
    explore(move || {
        let (process, ring) = process(rules);
        let destroyers = [0, 1].map(|_| {
            let process = Arc::clone(&process);
            spawn(move || process.io_destroy(ring))
        });
        let mut answers = destroyers.map(|destroyer| destroyer.join().unwrap());
        answers.sort_by_key(Result::is_err);
        assert_eq!(
            answers,
            [Ok(()), Err(Errno::Invalid)],
            "not exactly one did it"
        );
        must_hold(&process);
    });
}

#[test]
fn without_a_hook_one_of_two_destroyers_does_it() {
    two_destroyers(Version::NoHook.rules());
}

#[test]
fn y2014_one_of_two_destroyers_does_it() {
    two_destroyers(Version::Y2014.rules());
}

#[test]
fn y2015_one_of_two_destroyers_does_it() {
    two_destroyers(Version::Y2015.rules());
}

#[test]
fn commit_one_of_two_destroyers_does_it() {
    two_destroyers(Version::Commit.rules());
}

/// Writers do not exclude one another: two sections overlap, and both find that the context is alive.
#[test]
#[should_panic(expected = "not exactly one did it")]
fn commit_both_destroyers_do_it_if_each_only_looks() {
    two_destroyers(without(Version::Commit, |steps| {
        steps.dead_is_exchanged = false
    }));
}

/// With `ioctx_lock` held a look is enough.
#[test]
fn y2015_a_look_is_enough() {
    two_destroyers(without(Version::Y2015, |steps| {
        steps.dead_is_exchanged = false
    }));
}
