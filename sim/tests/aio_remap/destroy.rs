//! The end of contexts and of processes.

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::{Request, Version};

use crate::world::{A, B, FIXED, ONE_PAGE, PAGE, World};

#[test]
fn a_context_is_destroyed_once() {
    let world = World::new();
    let ring = world.ring_at(ONE_PAGE, A);
    assert_eq!(world.io_destroy(ring), Ok(()));
    assert_eq!(world.io_destroy(ring), Err(Errno::Invalid));
    assert!(!world.is_mapped(ring));
}

#[test]
fn what_was_in_flight_is_cancelled() {
    let world = World::new();
    let ring = world.ring_at(ONE_PAGE, A);
    world.io_submit(ring, Request::Poll { data: 5 }).unwrap();
    world.io_destroy(ring).unwrap();
    assert!(!world.ready(5));
}

#[test]
fn a_process_that_ends_leaves_nothing_behind() {
    let world = World::new();
    let ids = [A, B].map(|at| world.ring_at(ONE_PAGE, at));
    world.munmap(A, PAGE).unwrap();
    world.exit();
    assert!(world.snapshot().pages.is_empty());
    assert!(world.snapshot().contexts.is_empty());
    for id in ids {
        assert!(!world.is_id(id));
    }
}

#[test]
fn a_child_has_the_ring_and_not_the_context() {
    let world = World::new();
    let ring = world.ring_at(ONE_PAGE, A);
    world.read(ring, 1);
    world.mmap(B, PAGE).unwrap();
    let child = world.fork();
    assert_eq!(child.load(ring), Some(0), "it reads the header");
    assert_eq!(child.io_getevents(ring, 0, 0), Err(Errno::Invalid));
    assert_eq!(child.io_destroy(ring), Err(Errno::Invalid));

    let moved = child.mremap(ring, PAGE, PAGE, FIXED, B);
    assert_eq!(moved, Err(Errno::Invalid), "it has no table");
    assert!(child.is_mapped(ring));
    assert!(!child.is_mapped(B), "what the ring was to replace is lost");
    assert_eq!(child.check(), Ok(()));

    assert!(world.is_id(ring));
    assert!(world.is_mapped(B));
}

#[test]
fn a_child_with_contexts_of_its_own_does_not_move_the_ring_either() {
    for version in [Version::Y2015, Version::Y2023, Version::Commit] {
        let world = World::with(version.rules());
        let ring = world.ring_at(ONE_PAGE, A);
        let child = world.fork();
        let own = child.io_setup(1).unwrap();
        assert_ne!(
            child.lookup(own).unwrap().ring(),
            world.lookup(ring).unwrap().ring()
        );
        let moved = child.mremap(ring, PAGE, PAGE, FIXED, B);
        assert_eq!(moved, Err(Errno::Invalid), "{}", version.name());
        assert_eq!(child.check(), Ok(()));
    }
}
