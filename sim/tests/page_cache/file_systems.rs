//! The file systems: how long they take, what they are told, and what they keep.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use seqschedlock_sim::page_cache::{
    AddressSpace, Commit, FileSystem, LockedPage, LockedSchemeFs, MemStore, Metadata, MkWrite,
    OldSchemeFs, PageRef, PlainFs, Policy, VmFault,
};

use crate::world::{PAGE, all_is_well, process, read, under_every_policy, write};

/// How long a file system is told to take for each page.
const A_WHILE: Duration = Duration::from_millis(20);

fn file(file_system: impl FileSystem + 'static) -> Arc<AddressSpace<Commit>> {
    AddressSpace::new(MemStore::new(2 * PAGE, Duration::ZERO), file_system).unwrap()
}

/// How long it takes to remove two cached pages.
fn time_to_release_two(file_system: impl FileSystem + 'static) -> Duration {
    let file = file(file_system);
    let (process, address) = process(&file);
    read(&process, address);
    read(&process, address + PAGE);
    let began = Instant::now();
    assert_eq!(file.invalidate_inode_pages2_range(0..=1), Ok(()));
    let took = began.elapsed();
    assert_eq!(file.live_pages(), 0);
    took
}

#[test]
fn a_page_is_released_no_faster_than_was_asked() {
    let locked_scheme = LockedSchemeFs::new(Arc::default()).with_release(A_WHILE);
    assert!(time_to_release_two(locked_scheme) >= 2 * A_WHILE);
    assert!(time_to_release_two(PlainFs { release: A_WHILE }) >= 2 * A_WHILE);
}

#[test]
fn metadata_is_allocated_no_faster_than_was_asked() {
    let [old, locked] = [(); 2].map(|()| Arc::new(Metadata::new(A_WHILE)));
    for file in [
        file(OldSchemeFs::new(old)),
        file(LockedSchemeFs::new(locked)),
    ] {
        let (process, address) = process(&file);
        let began = Instant::now();
        write(&process, address, 1);
        write(&process, address + PAGE, 2);
        assert!(began.elapsed() >= 2 * A_WHILE);
        all_is_well(&file);
    }
}

#[test]
fn metadata_is_empty_when_the_last_of_two_pages_has_left() {
    let metadata = Arc::new(Metadata::default());
    assert!(metadata.is_empty());
    let file = file(LockedSchemeFs::new(Arc::clone(&metadata)));
    let (process, address) = process(&file);
    write(&process, address, 1);
    write(&process, address + PAGE, 2);
    assert_eq!((metadata.len(), metadata.is_empty()), (2, false));
    assert_eq!(file.filemap_write_and_wait_range(0..=0), Ok(1));
    assert_eq!((metadata.len(), metadata.is_empty()), (1, false));
    assert_eq!(file.filemap_write_and_wait_range(0..=1), Ok(1));
    assert_eq!((metadata.len(), metadata.is_empty()), (0, true));
}

/// A file system that counts the pages it is told are clean.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicU64>);

impl FileSystem for Counting {
    fn page_mkwrite(&self, _page: &PageRef) -> Result<MkWrite, VmFault> {
        Ok(MkWrite::Unlocked)
    }

    fn page_cleaned(&self, _page: &LockedPage) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Page 0 is dirty at first, and page 1 is never dirty.
fn a_clean_page_is_not_cleaned_again<P: Policy>() {
    let file_system = Counting::default();
    let cleaned = || file_system.0.load(Relaxed);
    let store = MemStore::new(2 * PAGE, Duration::ZERO);
    let file = AddressSpace::<P>::new(store, file_system.clone()).unwrap();
    let (process, address) = process(&file);
    write(&process, address, 1);
    read(&process, address + PAGE);

    assert_eq!(file.filemap_write_and_wait_range(0..=1), Ok(1));
    assert_eq!((cleaned(), file.times_dirtied()), (1, 1), "written");
    assert_eq!(file.filemap_write_and_wait_range(0..=1), Ok(0));
    assert_eq!((cleaned(), file.times_dirtied()), (1, 1), "written again");
    write(&process, address, 2);
    assert_eq!((cleaned(), file.times_dirtied()), (1, 2), "stored to");
    file.truncate(PAGE).unwrap();
    assert_eq!((cleaned(), file.live_pages()), (1, 1), "the clean one cut");
    file.truncate(0).unwrap();
    assert_eq!((cleaned(), file.live_pages()), (2, 0), "the dirty one cut");
    all_is_well(&file);
}

under_every_policy! {
    a_clean_page_is_not_cleaned_again,
}
