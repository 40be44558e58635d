//! Reads through a mapping against a direct write: once it has returned, nobody reads older bytes.

use std::sync::Arc;

use loom::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};
use seqschedlock_sim::page_cache::{
    Access, AsPosted, Commit, InvalidateRwLock, PAGE_SIZE, PageLock, PlainFs, Policy, Sharing,
    Striped, Unprotected,
};

use crate::explore::explore;
use crate::world::{PATIENCE, World, for_policies, read};

/// Every invariant holds in the end.
fn read_and_direct_write<P: Policy>() {
    explore(|| reading_and_writing::<P>().at_the_end());
}

/// The reads alone.
fn only_read_and_direct_write<P: Policy>() {
    explore(|| drop(reading_and_writing::<P>()));
}

/// The generation of the page is its one word.
fn reading_and_writing<P: Policy>() -> World<P> {
    let world = World::<P>::cached();
    let announced = Arc::new(AtomicU64::new(0));
    let reader = world.spawn({
        let announced = Arc::clone(&announced);
        move |process, address| {
            for _ in 0..2 {
                let expected = announced.load(Acquire);
                assert!(read(process, address) >= expected, "a stale read");
            }
        }
    });
    world.file.direct_write(0, &generation(1)).unwrap();
    announced.store(1, Release);
    reader.join().unwrap();

    assert_eq!(world.read(), 1, "a stale read");
    world
}

/// A private page is copied while another thread of the process reads it. What the reader has seen
/// must not disappear again: the copy is of the page that is mapped, or is thrown away.
fn private_copy_and_direct_write<P: Policy>() {
    explore(|| {
        let world = World::<P>::new(PlainFs::default(), Sharing::Private);
        world.read();
        let copying = world.fault(Access::Write, PATIENCE);
        world.file.direct_write(0, &generation(1)).unwrap();
        let before = world.read();
        copying.join().unwrap().unwrap();
        assert!(world.read() >= before, "a stale copy");
        world.at_the_end();
    });
}

for_policies! { private_copy_and_direct_write:
    commit_private_copy_is_of_the_page_that_is_mapped Commit,
    page_lock_private_copy_is_of_the_page_that_is_mapped PageLock,
}

fn generation(number: u64) -> [u8; PAGE_SIZE] {
    let mut bytes = [0; PAGE_SIZE];
    bytes[..size_of::<u64>()].copy_from_slice(&number.to_le_bytes());
    bytes
}

/// 1. The reader's fault finds the page;
/// 2. the direct write removes it, since nobody maps it, and writes the store;
/// 3. the fault maps the old page, where no later write will look for it;
/// 4. the direct write has returned, and the reader reads what was there before it.
#[test]
#[should_panic(expected = "a stale read")]
fn unprotected_read_is_stale_after_direct_write() {
    only_read_and_direct_write::<Unprotected>();
}

/// As above, with 2. between the validation and the mapping.
#[test]
#[should_panic(expected = "a stale read")]
fn as_posted_read_is_stale_after_direct_write() {
    only_read_and_direct_write::<AsPosted>();
}

for_policies! { read_and_direct_write:
    commit_reads_what_direct_write_wrote Commit,
    striped_reads_what_direct_write_wrote Striped,
    page_lock_reads_what_direct_write_wrote PageLock,
    invalidate_rwlock_reads_what_direct_write_wrote InvalidateRwLock,
}
