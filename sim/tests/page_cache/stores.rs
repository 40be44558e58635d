//! Where pages come from: memory, and files of any length.

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use seqschedlock_sim::page_cache::{
    Access, AddressSpace, Commit, Errno, MemStore, PAGE_SIZE, PlainFs, Store, VmFault,
};

use crate::world::{FailingStore, PAGE, all_is_well, failure, filled, process, read};

/// The same promises, whatever the store is made of.
fn pages_come_back_and_the_last_one_ends_in_zeros(store: &dyn Store) {
    let mut page = filled(9);
    store.set_size(PAGE + 100).unwrap();
    store.write_page(0, &filled(1)).unwrap();
    store.write_page(1, &filled(2)[..100]).unwrap();
    assert_eq!(store.size().unwrap(), PAGE + 100);
    store.read_page(0, &mut page).unwrap();
    assert_eq!(page, filled(1));
    store.read_page(1, &mut page).unwrap();
    assert_eq!(page[..100], filled(2)[..100]);
    assert_eq!(page[100..], filled(0)[100..]);
    page = filled(9);
    store.read_page(2, &mut page).unwrap();
    assert_eq!(page, filled(0));

    store.set_size(50).unwrap();
    store.set_size(PAGE).unwrap();
    store.read_page(0, &mut page).unwrap();
    assert_eq!(page[..50], filled(1)[..50]);
    assert_eq!(page[50..], filled(0)[50..]);
    page = filled(9);
    assert!(store.read_page(u64::MAX, &mut page).is_err());
}

#[test]
fn memory_keeps_the_promises_of_a_store() {
    pages_come_back_and_the_last_one_ends_in_zeros(&MemStore::new(0, Duration::ZERO));
}

#[test]
fn a_shared_store_keeps_the_promises_of_a_store() {
    pages_come_back_and_the_last_one_ends_in_zeros(&Arc::new(MemStore::new(0, Duration::ZERO)));
}

#[test]
fn memory_is_as_slow_as_was_asked() {
    let latency = Duration::from_millis(20);
    let store = MemStore::new(PAGE, latency);
    let began = Instant::now();
    store.read_page(0, &mut [0; PAGE_SIZE]).unwrap();
    store.write_page(0, &[0; PAGE_SIZE]).unwrap();
    assert!(began.elapsed() >= 2 * latency);
}

#[test]
fn a_page_that_cannot_be_read_is_a_sigbus_and_the_next_try_may_succeed() {
    let store = FailingStore::new(1);
    let file = AddressSpace::<Commit>::new(store.clone(), PlainFs::default()).unwrap();
    let (process, address) = process(&file);
    store.fail(true);
    for access in [Access::Read, Access::Write] {
        assert_eq!(failure(&process, address, access), VmFault::Sigbus);
    }
    assert_eq!(file.io_errors(), 2);
    store.fail(false);
    assert_eq!(read(&process, address), 0);
    all_is_well(&file);
}

#[test]
fn a_store_that_cannot_tell_its_size_is_an_error() {
    let store = FailingStore::new(1);
    store.fail(true);
    let file = AddressSpace::<Commit>::new(store, PlainFs::default());
    assert_eq!(file.map(|_| ()), Err(Errno::Io));
}

#[test]
fn a_truncate_that_the_store_refuses_says_so() {
    let store = FailingStore::new(2);
    let file = AddressSpace::<Commit>::new(store.clone(), PlainFs::default()).unwrap();
    store.fail(true);
    assert_eq!(file.truncate(3 * PAGE), Err(Errno::Io));
    assert_eq!(file.pages(), 2, "no longer than the store");
    assert_eq!(file.truncate(PAGE), Err(Errno::Io));
    assert_eq!(file.pages(), 1, "what was cut off is gone");
    assert_eq!(file.io_errors(), 2);

    // The store still has what was cut off; the file has not.
    store.fail(false);
    store.write_page(0, &filled(1)).unwrap();
    store.fail(true);
    assert_eq!(file.truncate(4), Err(Errno::Io));
    store.fail(false);
    let (process, address) = process(&file);
    assert_eq!(read(&process, address), 0x0101_0101);
}

#[test]
fn what_a_failed_cut_left_behind_does_not_come_back() {
    let store = FailingStore::new(2);
    let file = AddressSpace::<Commit>::new(store.clone(), PlainFs::default()).unwrap();
    file.direct_write(1, &filled(7)).unwrap();
    store.fail(true);
    assert_eq!(file.truncate(PAGE), Err(Errno::Io));
    store.fail(false);
    file.truncate(2 * PAGE).unwrap();
    let (process, address) = process(&file);
    assert_eq!(read(&process, address + PAGE), 0);
}

#[cfg(unix)]
mod file {
    use std::fs;
    use std::io::Write as _;

    use seqschedlock_sim::page_cache::FileStore;

    use super::*;
    use crate::world::{must_end, write};

    #[test]
    fn a_file_keeps_the_promises_of_a_store() {
        let file = tempfile::tempfile().unwrap();
        pages_come_back_and_the_last_one_ends_in_zeros(&FileStore::new(file));
    }

    #[test]
    fn a_file_of_any_length_is_served_and_not_made_longer() {
        for size in [1, PAGE as usize - 1, PAGE as usize, PAGE as usize + 9] {
            let mut named = tempfile::NamedTempFile::new().unwrap();
            let bytes: Vec<u8> = (0..size).map(|n| n as u8 | 1).collect();
            named.write_all(&bytes).unwrap();
            let store = FileStore::new(named.reopen().unwrap());
            let file = AddressSpace::<Commit>::new(store, PlainFs::default()).unwrap();
            assert_eq!(file.size(), size as u64);

            let (process, address) = process(&file);
            let last = (size as u64 - 1) / 8 * 8;
            let word = read(&process, address + last).to_le_bytes();
            let rest = bytes.len() - last as usize;
            assert_eq!(word[..rest.min(8)], bytes[last as usize..][..rest.min(8)]);
            assert!(word[rest.min(8)..].iter().all(|byte| *byte == 0));
            write(&process, address + last, u64::MAX);
            assert!(file.filemap_write_and_wait_range(0..=u64::MAX).is_ok());
            all_is_well(&file);

            let mut expected = bytes.clone();
            expected[last as usize..].fill(0xff);
            assert_eq!(fs::read(named.path()).unwrap(), expected);
        }
    }

    #[test]
    fn a_file_that_may_not_be_read_is_an_error_of_the_read() {
        let named = tempfile::NamedTempFile::new().unwrap();
        named.as_file().set_len(PAGE).unwrap();
        must_end("the store answers", move || {
            let mut options = fs::OpenOptions::new();
            let store = FileStore::new(options.write(true).open(named.path()).unwrap());
            let answer = store.read_page(0, &mut filled(9));
            assert!(answer.is_err(), "the file cannot be read");

            let file = AddressSpace::<Commit>::new(store, PlainFs::default()).unwrap();
            let (process, address) = process(&file);
            assert_eq!(failure(&process, address, Access::Read), VmFault::Sigbus);
            assert_eq!(file.io_errors(), 1);
            file.direct_write(0, &filled(1)).unwrap();
            all_is_well(&file);
        });
    }

    #[test]
    fn a_file_that_may_not_be_written_is_an_error_of_the_write() {
        let named = tempfile::NamedTempFile::new().unwrap();
        named.as_file().set_len(PAGE).unwrap();
        let read_only = fs::File::open(named.path()).unwrap();
        let store = FileStore::new(read_only);
        let file = AddressSpace::<Commit>::new(store, PlainFs::default()).unwrap();
        let (process, address) = process(&file);
        assert_eq!(read(&process, address), 0);
        assert_eq!(file.direct_write(0, &filled(1)), Err(Errno::Io));
        assert_eq!(file.io_errors(), 1);
        all_is_well(&file);
    }
}
