//! What `Debug` shows.

use core::time::Duration;
use std::sync::{Arc, Mutex};

use seqschedlock_sim::page_cache::{
    AddressSpace, Commit, FileSystem, MemStore, MkWrite, Mm, PageRef, PlainFs, VmFault,
};

use crate::world::{PAGE, process, read, write};

#[test]
fn a_file_shows_what_lies_under_it_and_what_went_wrong() {
    let store = MemStore::new(PAGE + 1, Duration::from_millis(2));
    let file = AddressSpace::<Commit>::new(store, PlainFs::default()).unwrap();
    assert_eq!(
        format!("{file:?}"),
        "AddressSpace { store: MemStore { latency: 2ms, .. }, file_system: PlainFs { release: 0ns }, \
         i_size: 4097, orphans: 0, io_errors: 0, .. }"
    );
    assert_eq!(format!("{:?}", Mm::<Commit>::new()), "Mm { .. }");
}

/// A file system that remembers the page that is about to be written.
#[derive(Clone, Debug, Default)]
struct Remembering(Arc<Mutex<Option<PageRef>>>);

impl FileSystem for Remembering {
    fn page_mkwrite(&self, page: &PageRef) -> Result<MkWrite, VmFault> {
        *self.0.lock().unwrap() = Some(PageRef::clone(page));
        Ok(MkWrite::Unlocked)
    }
}

#[test]
fn a_page_shows_its_flags_and_how_often_it_is_mapped() {
    let file_system = Remembering::default();
    let store = MemStore::new(PAGE, Duration::ZERO);
    let file = AddressSpace::<Commit>::new(store, file_system.clone()).unwrap();
    let (process, address) = process(&file);
    let (other, there) = crate::world::process(&file);
    write(&process, address, 1);
    read(&other, there);
    let page = file_system.0.lock().unwrap().take().unwrap();
    assert_eq!(
        format!("{page:?}"),
        "Page { index: 0, anonymous: false, locked: false, uptodate: true, dirty: true, \
         writeback: false, in_cache: true, mapcount: 2, .. }"
    );
    let locked = page.lock();
    assert!(format!("{page:?}").contains(" locked: true, "));
    drop(locked);
    file.truncate(0).unwrap();
    assert_eq!(
        format!("{page:?}"),
        "Page { index: 0, anonymous: false, locked: false, uptodate: true, dirty: false, \
         writeback: false, in_cache: false, mapcount: 0, .. }"
    );
}
