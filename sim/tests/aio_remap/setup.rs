//! New contexts.

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::Version;

use crate::world::{A, FOUR_PAGES, HEAD, ID, NR, ONE_PAGE, PAGE, TAIL, TWO_PAGES, World};

#[test]
fn a_new_ring_has_a_header_and_its_address_is_its_id() {
    let world = World::new();
    for (index, (requests, pages)) in [(ONE_PAGE, 1), (TWO_PAGES, 2), (FOUR_PAGES, 4)]
        .into_iter()
        .enumerate()
    {
        let id = world.io_setup(requests).unwrap();
        assert_eq!(world.length_of(id), pages * PAGE);
        assert_eq!(world.load(id + ID), Some(index as u32));
        assert_eq!(world.load(id + NR), Some(pages as u32 * 128 - 1));
        assert_eq!(world.load(id + HEAD), Some(0));
        assert_eq!(world.load(id + TAIL), Some(0));
        assert!(world.is_id(id));
    }
}

#[test]
fn a_context_takes_the_lowest_index_that_is_free() {
    let world = World::new();
    let ids = [0, 1, 2].map(|_| world.io_setup(ONE_PAGE).unwrap());
    world.io_destroy(ids[1]).unwrap();
    world.io_destroy(ids[0]).unwrap();
    let again = world.io_setup(ONE_PAGE).unwrap();
    assert_eq!(world.load(again + ID), Some(0));
    let again = world.io_setup(ONE_PAGE).unwrap();
    assert_eq!(world.load(again + ID), Some(1));
    let new = world.io_setup(ONE_PAGE).unwrap();
    assert_eq!(world.load(new + ID), Some(3));
}

#[test]
fn invalid_numbers_of_requests_are_refused() {
    let world = World::new();
    assert_eq!(world.io_setup(0), Err(Errno::Invalid));
    assert_eq!(world.io_setup(0x40_0001), Err(Errno::Invalid));
    assert_eq!(world.io_setup(0x8000_0000), Err(Errno::Again));
    assert_eq!(world.io_setup(65_537), Err(Errno::Again));
    assert!(world.snapshot().pages.is_empty(), "nothing is left mapped");
}

#[test]
fn all_contexts_share_one_limit() {
    let mut rules = Version::Y2023.rules();
    rules.aio_max_nr = 300;
    let world = World::with(rules);
    let id = world.io_setup(200).unwrap();
    assert_eq!(world.io_setup(101), Err(Errno::Again));
    let other = world.io_setup(100).unwrap();
    assert_eq!(world.io_setup(1), Err(Errno::Again));
    assert_eq!(world.snapshot().contexts.len(), 2);

    world.io_destroy(id).unwrap();
    world.ring_at(200, A);
    world.exit();
    assert!(!world.is_id(other));
    world.io_setup(300).unwrap();
}

#[test]
fn debug_of_a_process_shows_its_context_and_its_ring() {
    let world = World::new();
    let id = world.io_setup(ONE_PAGE).unwrap();
    let looked_up = world.lookup(id).unwrap();
    let ring = looked_up.ring();
    let context = format!(
        "KioCtx {{ ring: {ring}, index: 0, user_id: {id}, mmap_base: {id}, dead: false, users: "
    );
    let text = format!("{looked_up:?}");
    assert_eq!(text, format!("KioCtxRef {{ ctx: {context}2, .. }} }}"));
    drop(looked_up);
    let text = format!("{:?}", *world);
    assert!(text.contains(&format!("{context}1, .. }}")), "{text}");
    let file = format!("RingFile {{ inode: {ring}, pages: ");
    assert!(text.contains(&file), "{text}");
}
