//! Rings that move as a whole.

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::{MREMAP_MAYMOVE, Request};

use crate::world::{
    A, B, C, FIXED, FOUR_PAGES, HEAD, ID, NR, ONE_PAGE, PAGE, TAIL, TWO_PAGES, World,
};

#[test]
fn a_moved_ring_has_its_new_place_for_an_id() {
    for requests in [ONE_PAGE, FOUR_PAGES, 2_000] {
        let world = World::new();
        let ring = world.ring_at(requests, A);
        let length = world.length_of(ring);
        world.read(ring, 1);
        world.read(ring, 2);
        assert_eq!(world.io_getevents(ring, 0, 1), Ok(vec![1]));
        let header = [ID, NR, HEAD, TAIL].map(|word| world.load(ring + word));

        assert_eq!(world.mremap(ring, length, length, FIXED, B), Ok(B));
        assert!(!world.is_id(A));
        assert!(world.is_id(B));
        assert_eq!(
            [ID, NR, HEAD, TAIL].map(|word| world.load(B + word)),
            header
        );
        assert_eq!(world.events(B), [2]);
    }
}

#[test]
fn a_moved_ring_is_unmapped_where_it_is_and_nothing_else() {
    for requests in [ONE_PAGE, FOUR_PAGES, 2_000] {
        let world = World::new();
        let ring = world.ring_at(requests, A);
        let length = world.length_of(ring);
        world.mremap(ring, length, length, FIXED, B + PAGE).unwrap();
        world.mmap(A, length).unwrap();
        world.mmap(B, PAGE).unwrap();
        world.mmap(B + PAGE + length, PAGE).unwrap();
        let before = world.snapshot();

        assert_eq!(world.io_destroy(B + PAGE), Ok(()));
        let gone = [B + PAGE..B + PAGE + length, 0..0];
        let all = before.contexts.keys().copied().collect::<Vec<_>>();
        assert_eq!(before.unchanged_but(&world.snapshot(), &gone, &all), Ok(()));
        assert_eq!(world.mapped(B + PAGE, length / PAGE), []);
    }
}

#[test]
fn an_event_in_flight_finds_the_ring_where_it_is() {
    let world = World::new();
    let ring = world.ring_at(ONE_PAGE, A);
    world.io_submit(ring, Request::Poll { data: 5 }).unwrap();
    world.shift(A, 1, B).unwrap();
    assert!(world.ready(5));
    assert_eq!(world.events(B), [5]);
    assert!(!world.ready(5), "once");
}

#[test]
fn lengths_are_rounded_up_to_pages() {
    let world = World::new();
    let ring = world.ring_at(FOUR_PAGES, A);
    assert_eq!(
        world.mremap(ring, 3 * PAGE + 1, 4 * PAGE - 1, FIXED, B),
        Ok(B)
    );
    assert_eq!(world.mapped(B, 5), [0, 1, 2, 3]);
    assert_eq!(world.mapped(A, 4), []);
}

#[test]
fn the_same_length_and_no_place_leaves_the_ring_where_it_is() {
    let world = World::new();
    let ring = world.ring_at(TWO_PAGES, A);
    for flags in [0, MREMAP_MAYMOVE] {
        assert_eq!(world.mremap(ring, 2 * PAGE, 2 * PAGE, flags, 0), Ok(ring));
        assert_eq!(world.mremap(ring, 9 * PAGE, 9 * PAGE, flags, 0), Ok(ring));
    }
    assert!(world.is_id(ring));
}

#[test]
fn a_ring_replaces_exactly_what_it_is_moved_onto() {
    let world = World::new();
    let ring = world.ring_at(TWO_PAGES, A);
    world.mmap(B, 4 * PAGE).unwrap();
    let before = world.snapshot();
    world.shift(ring, 2, B + PAGE).unwrap();
    let after = world.snapshot();
    let places = [A..A + 2 * PAGE, B + PAGE..B + 3 * PAGE];
    let all = before.contexts.keys().copied().collect::<Vec<_>>();
    assert_eq!(before.unchanged_but(&after, &places, &all), Ok(()));
    assert!(after.pages[&(B + PAGE)].ring);
    assert!(after.pages[&(B + 2 * PAGE)].ring);
}

#[test]
fn a_ring_on_top_of_another_one_has_its_id() {
    let world = World::new();
    let [first, second] = [A, B].map(|at| world.ring_at(ONE_PAGE, at));
    let number = world.lookup(first).unwrap().ring();
    world.shift(first, 1, second).unwrap();
    assert_eq!(world.lookup(second).unwrap().ring(), number);
    assert_eq!(
        world.snapshot().contexts.len(),
        2,
        "the other one is out of reach"
    );

    // It still believes to be there: with its index in the first word it answers.
    world.store(second + ID, 1);
    assert_ne!(world.lookup(second).unwrap().ring(), number);
    world.store(second + ID, 0);
}

#[test]
fn two_rings_change_places_by_way_of_a_third_place() {
    let world = World::new();
    let ids = [A, B].map(|at| world.ring_at(ONE_PAGE, at));
    let rings = ids.map(|id| world.lookup(id).unwrap().ring());
    world.read(A, 1);
    world.read(B, 2);
    let found = || [A, B, C].map(|id| world.lookup(id).map(|user| user.ring()));

    world.shift(A, 1, C).unwrap();
    assert_eq!(found(), [None, Some(rings[1]), Some(rings[0])]);
    world.shift(B, 1, A).unwrap();
    assert_eq!(found(), [Some(rings[1]), None, Some(rings[0])]);
    world.shift(C, 1, B).unwrap();
    assert_eq!(found(), [Some(rings[1]), Some(rings[0]), None]);

    assert_eq!([A, B].map(|at| world.load(at + ID)), [Some(1), Some(0)]);
    assert_eq!([world.events(A), world.events(B)], [[2], [1]]);
}

#[test]
fn a_ring_and_the_memory_behind_it_move_together() {
    let world = World::new();
    let ring = world.ring_at(TWO_PAGES, A);
    world.mmap(A + 2 * PAGE, PAGE).unwrap();
    assert_eq!(
        world.shift(ring, 4, B),
        Ok(B),
        "a hole at the end moves along"
    );
    assert!(world.is_id(B));
    assert_eq!(world.mapped(B, 4), [0, 1, 2]);
    assert_eq!(world.mapped(A, 4), []);
}

#[test]
fn a_range_that_begins_with_a_hole_does_not_move() {
    let world = World::new();
    let ring = world.ring_at(TWO_PAGES, A + PAGE);
    assert_eq!(world.shift(A, 3, B), Err(Errno::Fault));
    assert!(world.is_id(ring));
}

#[test]
fn holes_between_areas_stay_holes_and_spare_what_is_there() {
    let world = World::new();
    let ring = world.ring_at(ONE_PAGE, A);
    world.mmap(A + 2 * PAGE, PAGE).unwrap();
    world.mmap(B + PAGE, PAGE).unwrap();
    let there = world.snapshot().pages[&(B + PAGE)];
    world.shift(ring, 3, B).unwrap();
    assert_eq!(world.mapped(B, 3), [0, 1, 2]);
    assert_eq!(world.snapshot().pages[&(B + PAGE)], there);
}
