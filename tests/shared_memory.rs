//! A lock in memory that its readers may only read.
#![cfg(all(not(loom), target_os = "linux"))]

use std::mem::size_of;

use memmap2::MmapMut;
use seqschedlock::{Conflict, RawSeqSchedLock, Spin};

type Lock = RawSeqSchedLock<Spin>;

#[test]
fn readers_work_where_the_memory_is_mapped_read_only() {
    let mut page = MmapMut::map_anon(4096).unwrap();
    assert_eq!(page[..size_of::<Lock>()], [0; size_of::<Lock>()]);
    let place = page.as_mut_ptr().cast::<Lock>();
    // SAFETY: the page is large enough, aligned, and nobody else knows of it.
    unsafe { place.write(Lock::new()) };
    assert_eq!(
        page[..size_of::<Lock>()],
        [0; size_of::<Lock>()],
        "a lock at rest is all zero"
    );

    // SAFETY: as above; the lock is plain words.
    drop(unsafe { &*place }.write());

    let page = page.make_read_only().unwrap();
    // SAFETY: the same lock; readers only load, so that it may be read-only. (A store would end
    // this test with a segmentation fault.)
    let lock = unsafe { &*page.as_ptr().cast::<Lock>() };
    let stamp = lock.read_begin().unwrap();
    assert_eq!(lock.read_end(stamp), Ok(()));
    assert_eq!(lock.read_commit(stamp), Ok(()));
    assert_eq!(lock.read_begin_wait(), stamp);
    assert_eq!(lock.read(|| 7), 7);
    assert_eq!(lock.publish(|| 7, |_| ()), 7);
    assert_eq!(lock.writers(), 0);
}

#[test]
fn a_reader_sees_the_writer_through_another_mapping() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(4096).unwrap();
    // SAFETY: nobody else has this file.
    let (writer, reader) = unsafe {
        (
            memmap2::MmapOptions::new().map_mut(&file).unwrap(),
            memmap2::Mmap::map(&file).unwrap(),
        )
    };
    // SAFETY: zeroed memory is a lock at rest, both mappings are of the same page, and the lock
    // consists of atomics, which are changed through the writable one only.
    let (writer, reader) = unsafe {
        (
            &*writer.as_ptr().cast::<Lock>(),
            &*reader.as_ptr().cast::<Lock>(),
        )
    };

    let stamp = reader.read_begin().unwrap();
    let section = writer.write();
    assert_eq!(reader.read_end(stamp), Err(Conflict::WriterRunning));
    drop(section);
    assert_eq!(reader.read_commit(stamp), Err(Conflict::Race));
    assert!(reader.read_begin().is_ok());
}
