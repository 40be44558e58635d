//! Rings that are torn apart. Every kernel before 2026 lets that happen.

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::Protection;

use crate::world::{A, B, C, FIXED, FOUR_PAGES, ID, ONE_PAGE, PAGE, TWO_PAGES, World};

fn torn() -> (World, u64) {
    let world = World::new();
    let ring = world.ring_at(FOUR_PAGES, A);
    (world, ring)
}

#[test]
fn the_id_goes_with_the_first_page() {
    let (world, _) = torn();
    assert_eq!(world.shift(A, 1, B), Ok(B));
    assert!(world.is_id(B));
    assert!(!world.is_id(A) && !world.is_id(A + PAGE));
    assert_eq!(world.mapped(A, 4), [1, 2, 3]);
}

#[test]
fn the_id_goes_with_the_last_page_too_if_its_first_word_happens_to_be_the_index() {
    let (world, _) = torn();
    assert_eq!(world.shift(A + 3 * PAGE, 1, B), Ok(B));
    assert_eq!(world.load(B), Some(0), "no event was ever written there");
    assert!(world.is_id(B));
    assert!(!world.is_id(A));
}

#[test]
fn a_ring_whose_last_page_has_no_index_is_out_of_reach() {
    let world = World::new();
    world.ring_at(ONE_PAGE, C);
    world.ring_at(TWO_PAGES, A);
    world.shift(A + PAGE, 1, B).unwrap();
    assert!(!world.is_id(A) && !world.is_id(B), "its index is 1");
    world.shift(A, 1, A + PAGE).unwrap();
    assert!(world.is_id(A + PAGE), "the first page has it");
}

#[test]
fn a_torn_ring_takes_other_memory_with_it() {
    let (world, _) = torn();
    world.shift(A, 1, B).unwrap();
    world.mmap(B + PAGE, 4 * PAGE).unwrap();
    world.io_destroy(B).unwrap();
    assert_eq!(world.mapped(B, 5), [4], "as many pages as the ring had");
    assert_eq!(world.mapped(A, 4), [1, 2, 3], "and the rest is left");
}

#[test]
fn a_leftover_does_not_move_and_its_target_is_lost() {
    let (world, _) = torn();
    world.shift(A, 1, B).unwrap();
    world.io_destroy(B).unwrap();
    world.mmap(C, PAGE).unwrap();
    let before = world.snapshot();
    assert_eq!(world.shift(A + PAGE, 1, C), Err(Errno::Invalid));
    let target = [C..C + PAGE, 0..0];
    assert_eq!(
        before.unchanged_but(&world.snapshot(), &target, &[]),
        Ok(())
    );
    assert!(!world.is_mapped(C));
    world.munmap(A, 4 * PAGE).unwrap();
}

#[test]
fn a_page_that_comes_back_does_not_bring_the_id_back() {
    let (world, _) = torn();
    world.shift(A + PAGE, 1, B).unwrap();
    world.shift(B, 1, A + PAGE).unwrap();
    assert!(!world.is_id(A), "it is where the last move went");
    assert!(world.is_id(A + PAGE));
    // The first page, there and back: that heals it.
    world.shift(A, 1, B).unwrap();
    world.shift(B, 1, A).unwrap();
    assert!(world.is_id(A));
    world.io_destroy(A).unwrap();
    assert_eq!(world.mapped(A, 4), []);
}

#[test]
fn a_ring_in_two_areas_has_its_id_where_the_last_one_lies() {
    let (world, _) = torn();
    world.shift(A + 2 * PAGE, 2, B).unwrap();
    world.shift(B, 2, A + 2 * PAGE).unwrap();
    assert_eq!(world.shift(A, 4, C), Ok(C));
    assert!(!world.is_id(C));
    assert!(world.is_id(C + 2 * PAGE));
}

#[test]
fn a_split_is_for_ever() {
    let (world, ring) = torn();
    world.mprotect(ring + PAGE, PAGE, Protection::Read).unwrap();
    world
        .mprotect(ring + PAGE, PAGE, Protection::ReadWrite)
        .unwrap();
    assert!(world.is_id(ring));
    assert_eq!(world.shift(ring, 4, B), Ok(B));
    assert!(
        world.is_id(B + 2 * PAGE),
        "three areas, and the last one begins there"
    );
}

#[test]
fn the_same_protection_splits_nothing() {
    let (world, ring) = torn();
    world
        .mprotect(ring + PAGE, PAGE, Protection::ReadWrite)
        .unwrap();
    world.shift(ring, 4, B).unwrap();
    assert!(world.is_id(B));
}

#[test]
fn all_areas_of_a_split_ring_are_unmapped() {
    let (world, ring) = torn();
    world.mprotect(ring + PAGE, PAGE, Protection::None).unwrap();
    world.io_destroy(ring).unwrap();
    assert_eq!(world.mapped(ring, 4), []);
}

#[test]
fn protection_changes_up_to_the_first_hole() {
    let (world, ring) = torn();
    world.munmap(ring + 2 * PAGE, PAGE).unwrap();
    let answer = world.mprotect(ring, 4 * PAGE, Protection::Read);
    assert_eq!(answer, Err(Errno::NoMemory));
    let pages = world.snapshot().pages;
    let protection = |page| pages[&(ring + page * PAGE)].protection;
    assert_eq!([0, 1].map(protection), [Protection::Read; 2]);
    assert_eq!(protection(3), Protection::ReadWrite);
    let answer = world.mprotect(ring + 2 * PAGE, PAGE, Protection::Read);
    assert_eq!(answer, Err(Errno::NoMemory), "a hole from the beginning");
}

#[test]
fn a_ring_that_was_shrunk_is_used_and_unmapped_as_before() {
    let (world, ring) = torn();
    assert_eq!(world.mremap(ring, 4 * PAGE, PAGE, 0, 0), Ok(ring));
    assert_eq!(world.mapped(ring, 4), [0]);
    assert!(world.is_id(ring));
    for data in 0..130 {
        world.read(ring, data);
    }
    assert_eq!(world.events(ring), (0..130).collect::<Vec<_>>());

    world.mmap(ring + 2 * PAGE, 3 * PAGE).unwrap();
    world.io_destroy(ring).unwrap();
    assert_eq!(world.mapped(ring, 5), [4], "somebody else's pages");
}

#[test]
fn shrinking_and_moving_is_moving_a_part() {
    let (world, ring) = torn();
    world.mmap(B, 2 * PAGE).unwrap();
    assert_eq!(world.mremap(ring, 4 * PAGE, PAGE, FIXED, B), Ok(B));
    assert!(world.is_id(B));
    assert_eq!(world.mapped(A, 4), []);
    let pages = world.snapshot().pages;
    assert!(
        pages[&B].ring && !pages[&(B + PAGE)].ring,
        "only what is needed"
    );
}

#[test]
fn a_ring_without_its_last_page_keeps_its_id() {
    let (world, ring) = torn();
    world.munmap(ring + 3 * PAGE, PAGE).unwrap();
    assert!(world.is_id(ring));
    world.mmap(ring + 3 * PAGE, PAGE).unwrap();
    world.io_destroy(ring).unwrap();
    assert_eq!(
        world.mapped(ring, 4),
        [],
        "and what came to lie there goes with it"
    );
}

#[test]
fn a_ring_without_its_first_page_is_out_of_reach_until_the_rest_moves() {
    let (world, ring) = torn();
    world.munmap(ring, PAGE).unwrap();
    assert!(!world.is_id(ring));
    assert_eq!(world.shift(ring + PAGE, 3, B), Ok(B));
    assert_eq!(world.load(B + ID), Some(0));
    assert!(world.is_id(B));
}

#[test]
fn a_move_that_is_refused_halfway_is_half_done() {
    let world = World::new();
    // First what is left of a ring whose context is gone, then a ring before it.
    world.ring_at(TWO_PAGES, A + 3 * PAGE);
    world.shift(A + 3 * PAGE, 1, B).unwrap();
    world.io_destroy(B).unwrap();
    assert_eq!(world.mapped(A, 5), [4]);
    world.ring_at(ONE_PAGE, A);

    assert_eq!(world.shift(A, 5, C), Err(Errno::Invalid));
    assert!(world.is_id(C), "the first one has moved");
    assert_eq!(world.mapped(A, 5), [4]);
    assert_eq!(world.mapped(C, 5), [0]);
    world.munmap(A, 5 * PAGE).unwrap();
}
