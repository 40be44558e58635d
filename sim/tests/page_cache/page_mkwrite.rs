//! `page_mkwrite`: every answer, by both paths into it.

use std::sync::{Arc, OnceLock, Weak};

use core::time::Duration;

use seqschedlock_sim::page_cache::{
    Access, AddressSpace, Commit, FileSystem, LockedSchemeFs, MemStore, Metadata, MkWrite, Mm,
    OldSchemeFs, PageRef, PlainFs, Sharing, Trouble, VmFault,
};

use crate::world::{PAGE, PATIENCE, all_is_well, failure, process, read, write};

fn file(file_system: impl FileSystem + 'static) -> Arc<AddressSpace<Commit>> {
    AddressSpace::new(MemStore::new(2 * PAGE, Duration::ZERO), file_system).unwrap()
}

fn both_schemes() -> [(Arc<Metadata>, Arc<AddressSpace<Commit>>); 2] {
    let [old, locked] = [Arc::new(Metadata::default()), Arc::default()];
    [
        (Arc::clone(&old), file(OldSchemeFs::new(old))),
        (Arc::clone(&locked), file(LockedSchemeFs::new(locked))),
    ]
}

/// The two paths into `page_mkwrite`: a page that is mapped read-only, and one that is not mapped.
fn both_ways(process: &Mm<Commit>, address: u64) -> [u64; 2] {
    read(process, address);
    [address, address + PAGE]
}

#[test]
fn a_page_that_may_be_written_has_metadata_and_is_counted_once() {
    for (metadata, file) in both_schemes() {
        let (process, address) = process(&file);
        for address in both_ways(&process, address) {
            write(&process, address, 1);
            write(&process, address, 2);
        }
        assert_eq!(metadata.len(), 2);
        assert_eq!((file.times_dirtied(), file.times_updated()), (2, 2));
        all_is_well(&file);
    }
}

#[test]
fn a_page_that_may_not_be_written_stays_as_it_was() {
    let answers = [
        (Trouble::Sigbus, VmFault::Sigbus),
        (Trouble::Oom, VmFault::Oom),
    ];
    for (trouble, answer) in answers {
        for (metadata, file) in both_schemes() {
            let (process, address) = process(&file);
            for address in both_ways(&process, address) {
                let mapped = process.peek(address, &mut [0]);
                metadata.fail_next(trouble);
                assert_eq!(failure(&process, address, Access::Write), answer);
                assert!(!process.poke(address, &[1]), "the pte went writable");
                assert_eq!(process.peek(address, &mut [0]), mapped);
                assert!(metadata.is_empty());
                all_is_well(&file);
            }
            assert_eq!((file.times_dirtied(), file.times_updated()), (0, 0));
        }
    }
}

#[test]
fn a_page_that_may_not_be_written_now_is_faulted_in_again() {
    for (metadata, file) in both_schemes() {
        let (process, address) = process(&file);
        for address in both_ways(&process, address) {
            metadata.fail_next(Trouble::NoPage);
            metadata.fail_next(Trouble::NoPage);
            let faulted = process.fault(address, Access::Write, PATIENCE);
            assert!(faulted.is_ok() && !process.poke(address, &[1]));
            all_is_well(&file);
            write(&process, address, 1);
            assert_eq!(metadata.fail_no_more(), 0);
            all_is_well(&file);
        }
    }
}

#[test]
fn the_file_system_is_not_asked_about_a_private_copy() {
    for (metadata, file) in both_schemes() {
        let process = Mm::new();
        let private = process.mmap(&file, 0, 2, Sharing::Private);
        metadata.fail_next(Trouble::Sigbus);
        for address in both_ways(&process, private) {
            write(&process, address, 1);
        }
        assert_eq!(metadata.fail_no_more(), 1);
        assert!(metadata.is_empty());
        assert_eq!(file.filemap_write_and_wait_range(0..=1), Ok(0));
        all_is_well(&file);
    }
}

/// A file system under which the page is truncated away while it is being asked.
#[derive(Clone, Debug, Default)]
struct Truncating(Arc<OnceLock<Weak<AddressSpace<Commit>>>>);

impl FileSystem for Truncating {
    fn page_mkwrite(&self, page: &PageRef) -> Result<MkWrite, VmFault> {
        let file = self.0.get().and_then(Weak::upgrade);
        file.unwrap().truncate(page.index() * PAGE).unwrap();
        Ok(MkWrite::Unlocked)
    }
}

#[test]
fn a_page_that_is_gone_after_page_mkwrite_is_looked_for_again() {
    let file_system = Truncating::default();
    let file = file(file_system.clone());
    file_system.0.set(Arc::downgrade(&file)).unwrap();
    let (process, address) = process(&file);
    let first = process.fault(address + PAGE, Access::Write, PATIENCE);
    assert_eq!(first.map(|faulted| faulted.conflicts), Ok(0));
    assert!(!process.peek(address + PAGE, &mut [0]));
    assert_eq!(
        failure(&process, address + PAGE, Access::Write),
        VmFault::Sigbus
    );
    all_is_well(&file);
}

#[test]
fn a_file_system_that_keeps_nothing_needs_no_metadata() {
    let file = file(PlainFs::default());
    let (process, address) = process(&file);
    write(&process, address, 1);
    all_is_well(&file);
}
