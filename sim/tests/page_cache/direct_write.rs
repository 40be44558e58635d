//! Direct writes: what is seen when they have returned, and when they refuse.

use core::fmt;
use core::time::Duration;
use std::io;
use std::sync::{Arc, OnceLock};

use seqschedlock_sim::page_cache::{
    AddressSpace, Errno, MemStore, Mm, PAGE_SIZE, PlainFs, Policy, Sharing, Store,
};

use crate::world::{
    FailingStore, PAGE, all_is_well, file, filled, process, read, under_every_policy, word_of,
    write,
};

fn every_mapping_shows_the_new_bytes<P: Policy>() {
    let file = file::<P>(2);
    let (first, here) = process(&file);
    let (second, there) = process(&file);
    let private = second.mmap(&file, 0, 2, Sharing::Private);
    read(&first, here);
    read(&second, there);
    read(&second, private);
    file.direct_write(0, &filled(1)).unwrap();
    for (process, address) in [(&first, here), (&second, there), (&second, private)] {
        assert_eq!(read(process, address), word_of(1));
    }
    assert_eq!(read(&first, here + PAGE), 0);
    all_is_well(&file);
}

fn stores_from_before_are_written_first_and_replaced<P: Policy>() {
    let file = file::<P>(1);
    let (process, address) = process(&file);
    write(&process, address, 5);
    file.direct_write(0, &filled(1)).unwrap();
    assert_eq!(read(&process, address), word_of(1));
    all_is_well(&file);
}

fn a_write_outside_the_file_is_refused<P: Policy>() {
    let store = MemStore::new(PAGE + 8, Duration::ZERO);
    let file = AddressSpace::<P>::new(store, PlainFs::default()).unwrap();
    assert_eq!(file.pages(), 2);
    assert_eq!(file.direct_write(1, &filled(1)), Err(Errno::Invalid));
    assert_eq!(file.direct_write(u64::MAX, &filled(1)), Err(Errno::Invalid));
    assert_eq!(file.direct_write(0, &filled(1)), Ok(()));
    all_is_well(&file);
}

fn a_write_of_several_pages_shows_all_of_them_and_no_other<P: Policy>() {
    let file = file::<P>(5);
    let (process, address) = process(&file);
    for page in 0..5 {
        read(&process, address + page * PAGE);
    }
    let bytes: Vec<u8> = (1..=3).flat_map(filled).collect();
    file.direct_write(1, &bytes).unwrap();
    for (page, seen) in [
        (0, 0),
        (1, word_of(1)),
        (2, word_of(2)),
        (3, word_of(3)),
        (4, 0),
    ] {
        assert_eq!(read(&process, address + page * PAGE), seen, "page {page}");
    }
    all_is_well(&file);
}

fn a_write_of_partial_pages_is_refused<P: Policy>() {
    let file = file::<P>(3);
    for (first, bytes) in [
        (0, 0),
        (0, 100),
        (0, PAGE + 1),
        (1, 3 * PAGE),
        (u64::MAX, 2 * PAGE),
    ] {
        let answer = file.direct_write(first, &vec![1; bytes as usize]);
        assert_eq!(answer, Err(Errno::Invalid), "{bytes} bytes at page {first}");
    }
    assert_eq!(file.direct_write(0, &vec![1; 3 * PAGE as usize]), Ok(()));
    all_is_well(&file);
}

fn a_store_that_fails_is_an_error_and_counted<P: Policy>() {
    let store = FailingStore::new(1);
    let file = AddressSpace::<P>::new(store.clone(), PlainFs::default()).unwrap();
    let process = Mm::new();
    let address = process.mmap(&file, 0, 1, Sharing::Shared);
    read(&process, address);
    store.fail(true);
    assert_eq!(file.direct_write(0, &filled(1)), Err(Errno::Io));
    assert_eq!(file.io_errors(), 1);
    store.fail(false);
    assert_eq!(read(&process, address), 0);
    all_is_well(&file);
}

/// Fails to write any page but the first, and calls `look` just before that one is written.
#[derive(Clone)]
struct FailsHalfway {
    store: Arc<MemStore>,
    look: Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>,
}

impl fmt::Debug for FailsHalfway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FailsHalfway")
    }
}

impl Store for FailsHalfway {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        self.store.read_page(index, page)
    }

    fn write_page(&self, index: u64, bytes: &[u8]) -> io::Result<()> {
        if index != 0 {
            return Err(io::ErrorKind::Other.into());
        }
        if let Some(look) = self.look.get() {
            look();
        }
        self.store.write_page(index, bytes)
    }

    fn size(&self) -> io::Result<u64> {
        self.store.size()
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.store.set_size(size)
    }
}

fn a_write_that_fails_halfway_shows_what_reached_the_store<P: Policy>() {
    let store = FailsHalfway {
        store: Arc::new(MemStore::new(2 * PAGE, Duration::ZERO)),
        look: Arc::default(),
    };
    let file = AddressSpace::<P>::new(store.clone(), PlainFs::default()).unwrap();
    let (process, address) = process(&file);
    let process = Arc::new(process);
    let looking = Arc::clone(&process);
    let look = Box::new(move || assert_eq!(read(&looking, address), 0));
    assert!(store.look.set(look).is_ok());
    let bytes: Vec<u8> = (1..=2).flat_map(filled).collect();
    assert_eq!(file.direct_write(0, &bytes), Err(Errno::Io));
    assert_eq!(read(&process, address), word_of(1));
    assert_eq!(read(&process, address + PAGE), 0);
    all_is_well(&file);
}

under_every_policy! {
    every_mapping_shows_the_new_bytes,
    stores_from_before_are_written_first_and_replaced,
    a_write_outside_the_file_is_refused,
    a_write_of_several_pages_shows_all_of_them_and_no_other,
    a_write_of_partial_pages_is_refused,
    a_store_that_fails_is_an_error_and_counted,
    a_write_that_fails_halfway_shows_what_reached_the_store,
}
