//! Direct writes: what is seen when they have returned, and when they refuse.

use core::time::Duration;

use seqschedlock_sim::page_cache::{AddressSpace, Errno, MemStore, Mm, PlainFs, Policy, Sharing};

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

fn what_does_not_lie_within_the_file_is_refused<P: Policy>() {
    let store = MemStore::new(PAGE + 8, Duration::ZERO);
    let file = AddressSpace::<P>::new(store, PlainFs::default()).unwrap();
    assert_eq!(file.pages(), 2);
    assert_eq!(file.direct_write(1, &filled(1)), Err(Errno::Invalid));
    assert_eq!(file.direct_write(u64::MAX, &filled(1)), Err(Errno::Invalid));
    assert_eq!(file.direct_write(0, &filled(1)), Ok(()));
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

under_every_policy! {
    every_mapping_shows_the_new_bytes,
    stores_from_before_are_written_first_and_replaced,
    what_does_not_lie_within_the_file_is_refused,
    a_store_that_fails_is_an_error_and_counted,
}
