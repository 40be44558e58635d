//! What differs from version to version even without a race.

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::{Mm, PAGE_SIZE, Rules, Version, Violation};

use crate::world::{A, B, FIXED, FOUR_PAGES, ONE_PAGE, PAGE, World};

#[test]
fn every_hook_moves_the_id_and_the_ring_is_unmapped_there() {
    for version in Version::ALL {
        if version == Version::NoHook {
            continue;
        }
        let world = World::with(version.rules());
        let ring = world.ring_at(FOUR_PAGES, A);
        world.shift(ring, 4, B).unwrap();
        world.mmap(A, 4 * PAGE).unwrap();
        assert!(!world.is_id(A) && world.is_id(B), "{}", version.name());
        world.io_destroy(B).unwrap();
        assert_eq!(world.mapped(A, 4), [0, 1, 2, 3], "{}", version.name());
        assert_eq!(world.mapped(B, 4), [], "{}", version.name());
    }
}

#[test]
fn without_a_hook_the_new_place_is_no_id_and_the_old_one_is_unmapped() {
    let process = Mm::new(Version::NoHook.rules());
    let old = process.io_setup(1).unwrap();
    process.mremap(old, PAGE, PAGE, FIXED, A).unwrap();
    assert_eq!(process.io_destroy(A), Err(Errno::Invalid));
    assert_eq!(
        process.io_destroy(old),
        Err(Errno::Invalid),
        "nothing can be read there"
    );

    process.mmap(old, PAGE).unwrap();
    assert_eq!(process.io_destroy(old), Ok(()));
    assert!(!process.is_mapped(old) && process.is_mapped(A));
    let violations = process.check().unwrap_err();
    assert_eq!(violations[0], Violation::InnocentUnmapped { pages: 1 });
    assert!(matches!(violations[1], Violation::RingLeft { at: A, .. }));
}

#[test]
fn from_2026_on_a_ring_moves_whole_or_not_at_all() {
    let with_the_lock = Rules {
        refuses_part: true,
        ..Version::Commit.rules()
    };
    for rules in [Version::Y2026.rules(), with_the_lock] {
        let world = World::with(rules);
        let ring = world.ring_at(FOUR_PAGES, A);
        world.mmap(B, 4 * PAGE).unwrap();
        let before = world.snapshot();
        assert_eq!(world.shift(ring, 1, B), Err(Errno::Invalid));
        assert_eq!(world.shift(ring + PAGE, 3, B + PAGE), Err(Errno::Invalid));
        let target = [B..B + 4 * PAGE, 0..0];
        assert_eq!(
            before.unchanged_but(&world.snapshot(), &target, &[]),
            Ok(())
        );
        assert_eq!(world.mapped(B, 4), [], "the hook comes last");
        assert!(world.is_id(ring));
        assert_eq!(world.shift(ring, 4, B), Ok(B));
    }
}

#[test]
fn from_2026_on_other_memory_can_still_be_lost() {
    let world = World::with(Version::Y2026.rules());
    let ring = world.ring_at(FOUR_PAGES, A);
    world.munmap(ring + PAGE, 3 * PAGE).unwrap();
    world.mmap(ring + 2 * PAGE, PAGE).unwrap();
    world.io_destroy(ring).unwrap();
    assert_eq!(world.mapped(ring, 4), [], "no hook sees munmap");
}

#[test]
fn from_2026_on_a_child_has_no_ring() {
    let world = World::with(Version::Y2026.rules());
    let ring = world.ring_at(ONE_PAGE, A);
    world.mmap(B, PAGE).unwrap();
    let child = world.fork();
    assert!(!child.is_mapped(ring));
    assert!(child.is_mapped(B));
}

#[test]
fn until_2023_a_move_in_a_process_without_table_followed_a_null_pointer() {
    for version in [Version::Y2014, Version::Y2015] {
        let world = World::with(version.rules());
        let ring = world.ring_at(ONE_PAGE, A);
        let child = world.fork();
        let _ = child.mremap(ring, PAGE_SIZE, PAGE_SIZE, FIXED, B);
        let violations = child.check().unwrap_err();
        assert_eq!(
            violations,
            [Violation::NullTable { times: 1 }],
            "{}",
            version.name()
        );
    }
}

#[test]
fn versions_have_names_of_their_own() {
    let mut names: Vec<_> = Version::ALL.map(Version::name).into();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Version::ALL.len());
}
