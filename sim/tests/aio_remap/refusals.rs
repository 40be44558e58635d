//! What `mremap` refuses, and that nothing has changed then.

use core::ops::Range;

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::{
    MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, Rules, Version,
};

use crate::world::{A, B, FIXED, ONE_PAGE, PAGE, TWO_PAGES, World};

/// A ring of two pages at `A`, and two pages of memory at `B`.
fn ring_and_memory(rules: Rules) -> World {
    let world = World::with(rules);
    world.ring_at(TWO_PAGES, A);
    world.mmap(B, 2 * PAGE).unwrap();
    world
}

/// A call fails, and nothing has changed but what may be lost.
fn refused(
    world: &World,
    errno: Errno,
    may_go: Range<u64>,
    (old, old_length, new_length, flags, new): (u64, u64, u64, u32, u64),
) {
    let before = world.snapshot();
    let answer = world.mremap(old, old_length, new_length, flags, new);
    assert_eq!(answer, Err(errno));
    let after = world.snapshot();
    assert_eq!(before.unchanged_but(&after, &[may_go, 0..0], &[]), Ok(()));
    assert!(world.is_id(A));
}

#[test]
fn invalid_arguments_are_refused() {
    let world = ring_and_memory(Version::Y2023.rules());
    let two = 2 * PAGE;
    for call in [
        (A, two, two, MREMAP_FIXED, B),
        (A, two, two, FIXED, A),
        (A, two, two, FIXED, A + PAGE),
        (A, two, two, FIXED, A - PAGE),
        (A, two, two, FIXED, B + 8),
        (A + 8, two, two, FIXED, B),
        (A, two, 0, FIXED, B),
        (A, two, 0, 0, 0),
        (A, two, two, FIXED, 0x7fff_ffff_f000),
        (A, two, two, FIXED, 0xffff_8000_0000_0000),
        (A, two, u64::MAX, FIXED, B),
        (A, two, two, 8, B),
    ] {
        refused(&world, Errno::Invalid, 0..0, call);
    }
}

#[test]
fn a_ring_does_not_grow() {
    let world = ring_and_memory(Version::Y2023.rules());
    for call in [
        (A, 2 * PAGE, 3 * PAGE, 0, 0),
        (A, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE, 0),
        (A, 2 * PAGE, 3 * PAGE, FIXED, B),
        (A, 2 * PAGE, u64::MAX - PAGE, MREMAP_MAYMOVE, 0),
        (A, 0, PAGE, MREMAP_MAYMOVE, 0),
        (A, 0, PAGE, FIXED, B),
    ] {
        refused(&world, Errno::Fault, 0..0, call);
    }
}

#[test]
fn a_ring_does_not_stay_at_its_old_place_as_well() {
    let world = ring_and_memory(Version::Y2023.rules());
    let flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
    for call in [
        (A, 2 * PAGE, 2 * PAGE, flags, B),
        (A, 2 * PAGE, 2 * PAGE, flags | MREMAP_FIXED, B),
        (A, 2 * PAGE, PAGE, flags, B),
        (A, 2 * PAGE, 2 * PAGE, MREMAP_DONTUNMAP, B),
    ] {
        refused(&world, Errno::Invalid, 0..0, call);
    }
}

#[test]
fn nothing_moves_away_from_an_empty_place() {
    let world = ring_and_memory(Version::Y2023.rules());
    for call in [
        (A + 2 * PAGE, PAGE, PAGE, FIXED, B),
        (A + 2 * PAGE, PAGE, PAGE, 0, 0),
        (A + 2 * PAGE, 2 * PAGE, PAGE, FIXED, B),
    ] {
        refused(&world, Errno::Fault, 0..0, call);
    }
}

#[test]
fn what_remains_after_shrinking_must_be_one_area() {
    let world = ring_and_memory(Version::Y2023.rules());
    world.mmap(A + 2 * PAGE, PAGE).unwrap();
    refused(
        &world,
        Errno::Fault,
        0..0,
        (A, 4 * PAGE, 3 * PAGE, FIXED, B),
    );
}

#[test]
fn before_2025_a_refusal_came_after_the_target_was_unmapped() {
    let mut rules = Version::Y2023.rules();
    rules.refuses_before_unmapping = false;
    let world = ring_and_memory(rules);
    let target = B..B + 2 * PAGE;
    refused(&world, Errno::Fault, target, (A, PAGE, 2 * PAGE, FIXED, B));
    assert_eq!(world.mapped(B, 2), []);
}

#[test]
fn before_2025_the_same_length_had_to_be_there() {
    let mut rules = Version::Y2023.rules();
    rules.checks_same_size = true;
    let world = ring_and_memory(rules);
    assert_eq!(world.mremap(A, 2 * PAGE, 2 * PAGE, 0, 0), Ok(A));
    refused(&world, Errno::Fault, 0..0, (A, 3 * PAGE, 3 * PAGE, 0, 0));
}

#[test]
fn before_6_17_one_area_moved_at_a_time() {
    let mut rules = Version::Y2023.rules();
    rules.moves_several_areas = false;
    let world = ring_and_memory(rules);
    world.mmap(A + 2 * PAGE, PAGE).unwrap();
    refused(
        &world,
        Errno::Fault,
        0..0,
        (A, 3 * PAGE, 3 * PAGE, FIXED, B),
    );
    assert_eq!(world.shift(A, 2, B), Ok(B));
    assert_eq!(world.shift(B, 2, A), Ok(A));
}

#[test]
fn memory_is_not_mapped_where_something_is() {
    let world = World::new();
    world.ring_at(ONE_PAGE, A);
    assert_eq!(world.mmap(A, PAGE), Err(Errno::Exists));
    assert_eq!(world.mmap(A - PAGE, 2 * PAGE), Err(Errno::Exists));
    assert_eq!(world.mmap(B + 1, PAGE), Err(Errno::Invalid));
    assert_eq!(world.mmap(B, 0), Err(Errno::Invalid));
    assert_eq!(world.munmap(B + 1, PAGE), Err(Errno::Invalid));
    assert_eq!(world.munmap(B, 0), Err(Errno::Invalid));
}
