//! A write fault against writeback: what a file system keeps for a page must not go while user space
//! may still write to it.

use std::sync::Arc;

use core::time::Duration;

use loom::thread::spawn;
use seqschedlock_sim::page_cache::{
    Access, AddressSpace, AsPosted, Commit, FileSystem, InvalidateRwLock, LockedSchemeFs, MemStore,
    Mm, OldSchemeFs, PAGE_SIZE, PageLock, PlainFs, Policy, Sharing, Store as _, Striped,
    Unprotected,
};

use crate::explore::explore;
use crate::world::{PATIENCE, World, for_policies};

fn with_locked_scheme<P: Policy>() {
    explore(|| write_fault_and_writeback::<P>(LockedSchemeFs::new(Arc::default())));
}

fn with_old_scheme<P: Policy>() {
    explore(|| write_fault_and_writeback::<P>(OldSchemeFs::new(Arc::default())));
}

/// Nothing is kept, so nothing can be missing. Still, no store may be lost.
fn with_plain_file_system<P: Policy>() {
    explore(|| write_fault_and_writeback::<P>(PlainFs::default()));
}

/// User space writes twice; whatever writeback does in between, the second word reaches the store in
/// the end.
fn write_fault_and_writeback<P: Policy>(file_system: impl FileSystem + 'static) {
    let world = World::<P>::new(file_system, Sharing::Shared);
    let writer = world.spawn(|process, address| {
        for word in 1..=2 {
            process.write(address, &[word], PATIENCE).unwrap();
        }
    });
    world.file.filemap_write_and_wait_range(0..=0).unwrap();
    writer.join().unwrap();
    let file = Arc::clone(&world.file);
    world.at_the_end();

    file.filemap_write_and_wait_range(0..=0).unwrap();
    file.check().expect("what was written is in the store");
}

fn with_metadata<P: Policy>() -> World<P> {
    World::new(LockedSchemeFs::new(Arc::default()), Sharing::Shared)
}

/// A pte that is there already, but read-only, becomes writable.
fn read_then_write_and_writeback<P: Policy>() {
    explore(|| {
        let world = with_metadata::<P>();
        world.process.write(world.address, &[1], PATIENCE).unwrap();
        world.file.filemap_write_and_wait_range(0..=0).unwrap();
        let writer =
            world.spawn(|process, address| process.write(address, &[2], PATIENCE).map(|_| ()));
        world.file.filemap_write_and_wait_range(0..=0).unwrap();
        writer.join().unwrap().unwrap();
        world.at_the_end();
    });
}

/// A page is written while it is already on its way to the store. If the second writeback did not wait
/// for the first, the older bytes could arrive last.
fn writeback_and_writeback<P: Policy>() {
    explore(|| {
        let world = World::<P>::new(PlainFs::default(), Sharing::Shared);
        world.process.write(world.address, &[1], PATIENCE).unwrap();
        let first = world.writeback();
        world.process.write(world.address, &[2], PATIENCE).unwrap();
        world.file.filemap_write_and_wait_range(0..=0).unwrap();
        first.join().unwrap().unwrap();
        world.at_the_end();
    });
}

/// A caller that asks for a page to be written waits until it is, even if another thread is about
/// to write it.
fn writeback_has_ended_when_it_returns<P: Policy>() {
    explore(|| {
        let store = Arc::new(MemStore::new(PAGE_SIZE as u64, Duration::ZERO));
        let file = AddressSpace::<P>::new(Arc::clone(&store), PlainFs::default()).unwrap();
        let process = Mm::new();
        let address = process.mmap(&file, 0, 1, Sharing::Shared);
        process.write(address, &[1], PATIENCE).unwrap();
        let other = spawn({
            let file = Arc::clone(&file);
            move || file.filemap_write_and_wait_range(0..=0).map(|_| ())
        });
        file.filemap_write_and_wait_range(0..=0).unwrap();
        let mut bytes = [0; PAGE_SIZE];
        store.read_page(0, &mut bytes).unwrap();
        assert_eq!(bytes[0], 1, "not written yet");
        other.join().unwrap().unwrap();
    });
}

/// A page is invalidated and read again while it is on its way to the store. If the invalidate did
/// not wait, the old bytes would be read back.
fn invalidate2_and_writeback<P: Policy>() {
    explore(|| {
        let world = World::<P>::new(PlainFs::default(), Sharing::Shared);
        world.process.write(world.address, &[1], PATIENCE).unwrap();
        let writing = world.writeback();
        // It is refused as long as the page is dirty.
        let _ = world.file.invalidate_inode_pages2_range(0..=0);
        assert_eq!(world.read(), 1, "a store was lost");
        writing.join().unwrap().unwrap();
        world.at_the_end();
    });
}

/// A write fault with no store after it: whatever state the page is left in, it is dirty with
/// metadata, or neither.
fn write_fault_alone_and_writeback<P: Policy>() {
    explore(|| {
        let world = with_metadata::<P>();
        let fault = world.fault(Access::Write, PATIENCE);
        world.file.filemap_write_and_wait_range(0..=0).unwrap();
        fault.join().unwrap().unwrap();
        world.at_the_end();
    });
}

/// The pte is removed while the page is being cleaned. If the page were marked clean before its ptes,
/// the pte could make it dirty again in between, just before the metadata is dropped.
fn zap_and_writeback<P: Policy>() {
    explore(|| {
        let world = with_metadata::<P>();
        world.process.write(world.address, &[1], PATIENCE).unwrap();
        let zapping = world.spawn(|process, address| process.madvise_dontneed(address, 1));
        world.file.filemap_write_and_wait_range(0..=0).unwrap();
        zapping.join().unwrap();
        world.at_the_end();
    });
}

/// The race that was closed in 2009:
///
/// 1. `page_mkwrite` allocates the metadata, marks the page dirty and returns with it unlocked;
/// 2. writeback finds the dirty page, drops the metadata and writes the page;
/// 3. the fault makes the pte writable: user space writes to a page that has no metadata.
#[test]
#[should_panic(expected = "is writable or dirty without metadata")]
fn old_scheme_loses_metadata_to_writeback() {
    with_old_scheme::<Commit>();
}

/// The policy makes no difference here.
#[test]
#[should_panic(expected = "is writable or dirty without metadata")]
fn old_scheme_loses_metadata_under_the_page_lock_policy_too() {
    with_old_scheme::<PageLock>();
}

for_policies! { with_locked_scheme:
    unprotected_locked_scheme_keeps_metadata Unprotected,
    as_posted_locked_scheme_keeps_metadata AsPosted,
    commit_locked_scheme_keeps_metadata Commit,
    striped_locked_scheme_keeps_metadata Striped,
    page_lock_locked_scheme_keeps_metadata PageLock,
    invalidate_rwlock_locked_scheme_keeps_metadata InvalidateRwLock,
}
for_policies! { with_plain_file_system:
    commit_loses_no_store_to_writeback Commit,
    page_lock_loses_no_store_to_writeback PageLock,
}
for_policies! { writeback_has_ended_when_it_returns:
    commit_store_has_what_was_written_when_writeback_returns Commit,
}
for_policies! { invalidate2_and_writeback:
    commit_page_under_writeback_is_not_read_again Commit,
}
for_policies! { write_fault_alone_and_writeback:
    commit_write_fault_leaves_metadata_or_a_clean_page Commit,
}
for_policies! { writeback_and_writeback:
    commit_store_has_what_was_written_last Commit,
}
for_policies! { zap_and_writeback:
    commit_page_is_dirty_and_has_metadata_or_neither Commit,
}
for_policies! { read_then_write_and_writeback:
    commit_locked_scheme_keeps_metadata_of_a_page_that_was_clean Commit,
}
