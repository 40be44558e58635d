//! What is an id, and what is not.

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::Protection;

use crate::world::{A, B, C, ID, ONE_PAGE, PAGE, World};

#[test]
fn other_addresses_are_no_ids() {
    let world = World::new();
    world.ring_at(ONE_PAGE, A);
    for id in [0, B, A + 4, A + PAGE, u64::MAX] {
        assert!(!world.is_id(id), "{id:#x}");
    }
}

#[test]
fn a_ring_that_may_not_be_read_has_no_id() {
    let world = World::new();
    let ring = world.ring_at(ONE_PAGE, A);
    world.mprotect(ring, PAGE, Protection::Read).unwrap();
    assert!(
        world.is_id(ring),
        "the kernel writes through a mapping of its own"
    );
    world.mprotect(ring, PAGE, Protection::None).unwrap();
    assert!(!world.is_id(ring));
    world.mprotect(ring, PAGE, Protection::ReadWrite).unwrap();
    assert!(world.is_id(ring));
}

#[test]
fn a_ring_that_may_not_be_read_can_move() {
    let world = World::new();
    let ring = world.ring_at(ONE_PAGE, A);
    world.mprotect(ring, PAGE, Protection::None).unwrap();
    world.shift(A, 1, B).unwrap();
    world.mprotect(B, PAGE, Protection::ReadWrite).unwrap();
    assert!(world.is_id(B));
}

#[test]
fn memory_of_the_process_is_no_id_whatever_it_contains() {
    let world = World::new();
    world.ring_at(ONE_PAGE, A);
    world.ring_at(ONE_PAGE, B);
    world.mmap(C, PAGE).unwrap();
    for word in [0, 1, 2, u32::MAX] {
        assert!(world.store(C, word));
        assert!(!world.is_id(C), "{word}");
    }
}

#[test]
fn an_id_holds_as_long_as_its_first_word() {
    let world = World::new();
    let [first, second] = [A, B].map(|at| world.ring_at(ONE_PAGE, at));
    for word in [1, 2, u32::MAX] {
        assert!(world.store(first + ID, word));
        assert!(!world.is_id(first), "{word}");
        assert!(world.is_id(second));
    }
    assert!(world.store(first + ID, 0));
    assert!(world.is_id(first));
}

#[test]
fn a_ring_with_a_wrong_first_word_moves_all_the_same() {
    let world = World::new();
    let ring = world.ring_at(ONE_PAGE, A);
    world.store(ring + ID, 77);
    world.shift(A, 1, B).unwrap();
    assert!(!world.is_id(B));
    world.store(B + ID, 0);
    assert!(world.is_id(B));
}

#[test]
fn an_unmapped_ring_is_found_again_through_a_page_of_zeros() {
    let world = World::new();
    let ring = world.ring_at(ONE_PAGE, A);
    world.munmap(ring, PAGE).unwrap();
    assert!(!world.is_id(ring));
    world.mmap(ring, PAGE).unwrap(); // 0 is the index of the first context
    assert!(world.is_id(ring));
    world.io_destroy(ring).unwrap();
    assert!(!world.is_mapped(ring), "somebody else's page");
}

#[test]
fn a_destroyed_id_is_no_longer_an_id() {
    let world = World::new();
    let ring = world.ring_at(ONE_PAGE, A);
    assert_eq!(world.io_destroy(ring), Ok(()));
    assert!(!world.is_id(ring));
    world.mmap(ring, PAGE).unwrap();
    assert!(!world.is_id(ring));
}

#[test]
fn a_call_that_has_found_its_context_survives_a_move() {
    let world = World::new();
    let ring = world.ring_at(ONE_PAGE, A);
    let sleeper = world.lookup(ring).unwrap();
    world.shift(A, 1, B).unwrap();
    world.read(B, 7);
    assert_eq!(sleeper.read_events(9), Ok(vec![7]));

    world.io_destroy(B).unwrap();
    assert_eq!(sleeper.read_events(9), Err(Errno::Invalid));
    drop(sleeper);
}
