//! `invalidate_mapping_pages` and `invalidate_inode_pages2_range`: what goes, and what stays.

use std::sync::Arc;

use seqschedlock_sim::page_cache::{
    Access, AddressSpace, Commit, Errno, LockedSchemeFs, MemStore, Metadata, MkWrite, PlainFs,
    Policy,
};

use core::time::Duration;

use crate::patience::receive;
use crate::world::{
    PAGE, SlowFs, SlowStore, all_is_well, file, must_end, process, read, under_every_policy, write,
};

fn unused_pages_are_removed<P: Policy>() {
    let file = file::<P>(100);
    let (process, address) = process(&file);
    for page in 0..100 {
        read(&process, address + page * PAGE);
    }
    process.munmap(address, 90);
    assert_eq!(file.invalidate_mapping_pages(10..=u64::MAX), 80);
    assert_eq!(file.live_pages(), 20, "10 before the range, 10 mapped");
    assert_eq!(file.invalidate_mapping_pages(0..=99), 10);
    all_is_well(&file);
}

fn a_dirty_page_stays<P: Policy>() {
    let file = file::<P>(1);
    let (process, address) = process(&file);
    write(&process, address, 1);
    process.munmap(address, 1);
    assert_eq!(file.invalidate_mapping_pages(0..=0), 0);
    assert_eq!(file.invalidate_inode_pages2_range(0..=0), Err(Errno::Io));
    assert_eq!(file.live_pages(), 1);
    assert_eq!(file.filemap_write_and_wait_range(0..=0), Ok(1));
    assert_eq!(file.invalidate_mapping_pages(0..=0), 1);
    all_is_well(&file);
}

fn the_second_invalidate_unmaps_first<P: Policy>() {
    let file = file::<P>(2);
    let (first, here) = process(&file);
    let (second, there) = process(&file);
    for page in [0, PAGE] {
        read(&first, here + page);
        read(&second, there + page);
    }
    assert_eq!(file.invalidate_mapping_pages(0..=0), 0);
    assert_eq!(file.invalidate_inode_pages2_range(0..=0), Ok(()));
    assert!(!first.peek(here, &mut [0]) && !second.peek(there, &mut [0]));
    assert!(first.peek(here + PAGE, &mut [0]));
    assert_eq!(file.live_pages(), 1);
    all_is_well(&file);
}

fn a_page_that_stays_does_not_keep_the_others<P: Policy>() {
    let file = file::<P>(3);
    let (process, address) = process(&file);
    write(&process, address + PAGE, 1);
    read(&process, address);
    read(&process, address + 2 * PAGE);
    assert_eq!(file.invalidate_inode_pages2_range(0..=2), Err(Errno::Io));
    assert_eq!(file.live_pages(), 1, "the dirty one");
    assert_eq!(read(&process, address + PAGE), 1);
    all_is_well(&file);
}

under_every_policy! {
    unused_pages_are_removed,
    a_dirty_page_stays,
    the_second_invalidate_unmaps_first,
    a_page_that_stays_does_not_keep_the_others,
}

#[test]
fn a_locked_page_is_skipped() {
    must_end("both invalidates", || {
        let (file_system, brake) = SlowFs::new();
        let store = MemStore::new(PAGE, Duration::ZERO);
        let file = AddressSpace::<Commit>::new(store, file_system).unwrap();
        let (process, address) = process(&file);
        read(&process, address);
        std::thread::scope(|threads| {
            let slow = threads.spawn(|| file.invalidate_inode_pages2_range(0..=0));
            receive("the page is locked, and about to go", &brake.begun);
            assert_eq!(file.invalidate_mapping_pages(0..=0), 0);
            brake.go.send(()).unwrap();
            assert_eq!(slow.join().unwrap(), Ok(()));
        });
        all_is_well(&file);
    });
}

#[test]
fn a_page_under_writeback_is_skipped_or_waited_for() {
    must_end("the writeback, and those who wait for it", || {
        let (store, brake) = SlowStore::new(1, Access::Write);
        let file = AddressSpace::<Commit>::new(store, PlainFs::default()).unwrap();
        let (process, address) = process(&file);
        write(&process, address, 1);
        std::thread::scope(|threads| {
            let slow = threads.spawn(|| file.filemap_write_and_wait_range(0..=0));
            receive("the page is clean, and on its way", &brake.begun);
            process.munmap(address, 1);
            assert_eq!(file.invalidate_mapping_pages(0..=0), 0);
            assert_eq!(file.live_pages(), 1);
            let waiting = threads.spawn(|| {
                assert_eq!(file.invalidate_inode_pages2_range(0..=0), Ok(()));
                file.invalidate_mapping_pages(0..=0)
            });
            brake.go.send(()).unwrap();
            assert_eq!(slow.join().unwrap(), Ok(1));
            assert_eq!(waiting.join().unwrap(), 0, "nothing is left to remove");
        });
        assert_eq!(file.live_pages(), 0);
        all_is_well(&file);
    });
}

/// A file system that stores to the page at the last moment, as a buffered write could.
#[derive(Debug)]
struct DirtiedInTheEnd(LockedSchemeFs);

impl seqschedlock_sim::page_cache::FileSystem for DirtiedInTheEnd {
    fn page_mkwrite(
        &self,
        page: &seqschedlock_sim::page_cache::PageRef,
    ) -> Result<MkWrite, seqschedlock_sim::page_cache::VmFault> {
        self.0.page_mkwrite(page)
    }
    fn release_page(&self, page: &seqschedlock_sim::page_cache::LockedPage) {
        page.set_dirty();
    }
}

#[test]
fn a_page_that_becomes_dirty_while_it_is_released_is_not_dropped() {
    let file_system = DirtiedInTheEnd(LockedSchemeFs::new(Arc::new(Metadata::default())));
    let store = MemStore::new(PAGE, Duration::ZERO);
    let file = AddressSpace::<Commit>::new(store, file_system).unwrap();
    let (process, address) = process(&file);
    read(&process, address);
    assert_eq!(file.invalidate_inode_pages2_range(0..=0), Err(Errno::Io));
    assert_eq!(file.live_pages(), 1);
    assert_eq!(file.filemap_write_and_wait_range(0..=0), Ok(1));
    read(&process, address);
    process.munmap(address, 1);
    assert_eq!(file.invalidate_mapping_pages(0..=0), 0);
    assert_eq!(file.live_pages(), 1);
}
