//! Events, where the place of the ring and what user space has written to it matter.

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::Request;

use crate::world::{A, B, HEAD, ID, NR, ONE_PAGE, PAGE, TAIL, TWO_PAGES, World};

fn ring_with_events(number: u64) -> (World, u64) {
    let world = World::new();
    let ring = world.ring_at(ONE_PAGE, A);
    for data in 1..=number {
        world.read(ring, data);
    }
    (world, ring)
}

#[test]
fn events_are_read_once_and_in_order() {
    let (world, ring) = ring_with_events(5);
    assert_eq!(world.io_getevents(ring, 0, 2), Ok(vec![1, 2]));
    assert_eq!(world.load(ring + HEAD), Some(2));
    assert_eq!(world.events(ring), [3, 4, 5]);
    assert_eq!(world.events(ring), []);
}

#[test]
fn invalid_limits_are_refused() {
    let (world, ring) = ring_with_events(1);
    assert_eq!(world.io_getevents(ring, 2, 1), Err(Errno::Invalid));
    assert_eq!(world.io_getevents(ring, -1, 1), Err(Errno::Invalid));
    assert_eq!(world.io_getevents(ring, 0, -1), Err(Errno::Invalid));
    assert_eq!(world.events(ring), [1]);
}

#[test]
fn a_full_ring_takes_no_request_until_an_event_is_read() {
    let (world, ring) = ring_with_events(126);
    let request = Request::Read { data: 127 };
    assert_eq!(world.io_submit(ring, request), Err(Errno::Again));
    assert_eq!(world.io_getevents(ring, 0, 1), Ok(vec![1]));
    assert_eq!(world.io_submit(ring, request), Ok(()));
    assert_eq!(world.io_submit(ring, request), Err(Errno::Again));
}

#[test]
fn the_ring_wraps() {
    let (world, ring) = ring_with_events(100);
    assert_eq!(world.events(ring).len(), 100);
    for data in 0..100 {
        world.read(ring, data);
    }
    assert_eq!(world.load(ring + TAIL), Some(200 - 127));
    assert_eq!(world.events(ring), (0..100).collect::<Vec<_>>());
}

#[test]
fn a_head_beyond_the_tail_brings_old_slots_up_to_the_wrap() {
    let (world, ring) = ring_with_events(3);
    world.store(ring + HEAD, 125);
    assert_eq!(world.events(ring), [0, 0, 1, 2, 3]);
    world.store(ring + HEAD, 127 + 1);
    assert_eq!(world.events(ring), [2, 3], "modulo the size");
    world.store(ring + HEAD, 0);
    assert_eq!(world.events(ring), [1, 2, 3], "once more");
}

#[test]
fn a_look_for_no_events_corrects_a_head_beyond_the_end() {
    let (world, ring) = ring_with_events(3);
    world.store(ring + HEAD, 127 + 2);
    assert_eq!(world.io_getevents(ring, 0, 0), Ok(vec![]));
    assert_eq!(world.load(ring + HEAD), Some(2));
}

#[test]
fn a_tail_is_believed_until_the_next_event() {
    let (world, ring) = ring_with_events(2);
    world.store(ring + TAIL, 1);
    assert_eq!(world.io_getevents(ring, 0, 9), Ok(vec![1]));
    assert_eq!(world.events(ring), []);
    world.read(ring, 3);
    assert_eq!(world.events(ring), [2, 3]);
}

#[test]
fn the_size_in_the_header_is_ignored() {
    let (world, ring) = ring_with_events(2);
    world.store(ring + NR, 1);
    world.read(ring, 3);
    assert_eq!(world.events(ring), [1, 2, 3]);
}

#[test]
fn the_second_page_begins_with_the_data_of_an_event() {
    let world = World::new();
    let ring = world.ring_at(TWO_PAGES, A);
    for data in 0..=127 {
        world.read(ring, data);
    }
    assert_eq!(world.load(ring + PAGE), Some(127));
    world.store(ring + PAGE, 500);
    assert_eq!(world.events(ring)[127], 500);
}

#[test]
fn a_request_is_cancelled_under_a_valid_id() {
    let (world, ring) = ring_with_events(0);
    world.io_submit(ring, Request::Poll { data: 5 }).unwrap();
    world.shift(A, 1, B).unwrap();
    assert_eq!(world.io_cancel(A, 5), Err(Errno::Invalid));
    assert_eq!(world.io_cancel(B, 6), Err(Errno::Invalid));
    assert_eq!(world.io_cancel(B, 5), Err(Errno::InProgress));
    assert_eq!(world.events(B), [5]);
    assert_eq!(world.io_cancel(B, 5), Err(Errno::Invalid));
}

#[test]
fn the_event_of_a_ring_that_was_torn_apart_is_not_lost() {
    let (world, ring) = ring_with_events(1);
    world.munmap(ring, PAGE).unwrap();
    world.mmap(ring, PAGE).unwrap();
    world.store(ring + ID, 0);
    assert_eq!(
        world.events(ring),
        [1],
        "the kernel has a mapping of its own"
    );
}
