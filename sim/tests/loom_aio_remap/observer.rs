//! The checker under load: it does not report as broken what is only under way.

use std::sync::Arc;

use loom::thread::spawn;
use seqschedlock_sim::aio::remap::{Mm, Version};

use crate::world::{NEW, explore, move_ring};

/// The ring moves while `look` is at work.
fn move_and_look(version: Version, look: impl Fn(&Mm) + Send + Sync + Copy + 'static) {
    explore(move || {
        let process = Mm::observed(version.rules());
        let old = process.io_setup(1).unwrap();
        let process = Arc::new(process);
        let mover = spawn({
            let process = Arc::clone(&process);
            move || move_ring(&process, old, NEW).unwrap()
        });
        let observer = spawn({
            let process = Arc::clone(&process);
            move || look(&process)
        });
        mover.join().unwrap();
        observer.join().unwrap();
    });
}

fn observe(process: &Mm) {
    if let Some(Err(violations)) = process.observe() {
        panic!("{}", violations[0]);
    }
}

#[test]
fn an_observer_believes_no_half_done_move() {
    move_and_look(Version::Y2015, observe);
}

#[test]
#[should_panic(expected = "but its user_id is")]
fn an_observer_finds_what_is_wrong() {
    move_and_look(Version::NoHook, observe);
}

/// What the stamp is for: the areas are from before the move, the context is from after it.
#[test]
#[should_panic(expected = "ring 0")]
fn a_look_without_a_stamp_believes_a_half_done_move() {
    move_and_look(Version::Y2015, |process| {
        if let Err(violations) = process.check() {
            panic!("{}", violations[0]);
        }
    });
}
