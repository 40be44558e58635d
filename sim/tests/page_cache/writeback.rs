//! Writeback: what is written, how often, and what happens when it cannot be.

use std::sync::Arc;

use seqschedlock_sim::page_cache::{
    AddressSpace, Commit, Errno, LockedSchemeFs, Metadata, Mm, PAGE_SIZE, PlainFs, Policy, Sharing,
    Store as _,
};

use crate::world::{
    FailingStore, PAGE, all_is_well, file, process, read, under_every_policy, write,
};

fn a_page_is_written_once_for_all_stores_before_it<P: Policy>() {
    let file = file::<P>(3);
    let (first, here) = process(&file);
    let (second, there) = process(&file);
    write(&first, here, 1);
    write(&second, there + 8, 2);
    write(&second, there + 2 * PAGE, 3);
    assert_eq!(file.filemap_write_and_wait_range(0..=1), Ok(1));
    assert_eq!(file.filemap_write_and_wait_range(0..=u64::MAX), Ok(1));
    assert_eq!(file.filemap_write_and_wait_range(0..=u64::MAX), Ok(0));
    all_is_well(&file);

    // The ptes are read-only now: the next store is noticed, whoever makes it.
    assert!(!first.poke(here, &[4]) && !second.poke(there, &[4]));
    write(&second, there, 4);
    assert_eq!(file.filemap_write_and_wait_range(0..=u64::MAX), Ok(1));
    all_is_well(&file);
}

fn a_store_through_a_mapping_that_is_gone_is_written<P: Policy>() {
    let store = FailingStore::new(1);
    let file = AddressSpace::<P>::new(store.clone(), PlainFs::default()).unwrap();
    let (process, address) = process(&file);
    write(&process, address, 7);
    drop(process);
    assert_eq!(file.filemap_write_and_wait_range(0..=0), Ok(1));
    let mut bytes = [0; PAGE_SIZE];
    store.read_page(0, &mut bytes).unwrap();
    assert_eq!(bytes[..8], 7u64.to_le_bytes());
}

under_every_policy! {
    a_page_is_written_once_for_all_stores_before_it,
    a_store_through_a_mapping_that_is_gone_is_written,
}

#[test]
fn a_store_that_fails_is_an_error_and_the_other_pages_are_written() {
    let store = FailingStore::new(2);
    let file = AddressSpace::<Commit>::new(store.clone(), PlainFs::default()).unwrap();
    let (process, address) = process(&file);
    write(&process, address, 1);
    write(&process, address + PAGE, 2);
    store.fail(true);
    assert_eq!(file.filemap_write_and_wait_range(0..=1), Err(Errno::Io));
    assert_eq!(file.io_errors(), 2);
    store.fail(false);
    // No longer dirty, as in the kernel, but still there until dropped.
    assert_eq!(read(&process, address), 1);
    assert_eq!(file.filemap_write_and_wait_range(0..=1), Ok(0));
    all_is_well(&file);
    // The next store makes good for it.
    write(&process, address + 8, 3);
    assert_eq!(file.filemap_write_and_wait_range(0..=1), Ok(1));
    all_is_well(&file);
}

#[test]
fn metadata_lives_as_long_as_the_page_is_dirty() {
    let metadata = Arc::new(Metadata::default());
    let store = FailingStore::new(4);
    let file =
        AddressSpace::<Commit>::new(store, LockedSchemeFs::new(Arc::clone(&metadata))).unwrap();
    let process = Mm::new();
    let address = process.mmap(&file, 0, 4, Sharing::Shared);
    for page in 0..4 {
        write(&process, address + page * PAGE, 1);
    }
    assert_eq!(metadata.len(), 4);
    file.filemap_write_and_wait_range(0..=0).unwrap();
    assert!(!metadata.contains(0) && metadata.contains(1));
    file.truncate(2 * PAGE).unwrap();
    assert_eq!(metadata.len(), 1);
    all_is_well(&file);
    file.direct_write(1, &[0; PAGE_SIZE]).unwrap();
    assert!(metadata.is_empty());
    all_is_well(&file);
}
