//! Each invariant is broken on purpose, and the checker has to find that and nothing else.

use std::sync::Arc;

use core::time::Duration;

use super::Violation;
use crate::page_cache::page::{PAGE_SIZE, PageRef};
use crate::page_cache::{
    AddressSpace, Commit, FileSystem, LockedSchemeFs, MemStore, Metadata, Mm, Patience, PlainFs,
    Sharing,
};

/// Two pages of a file, the first mapped and read, the second mapped and written.
struct World {
    metadata: Arc<Metadata>,
    file: Arc<AddressSpace<Commit>>,
    process: Mm<Commit>,
    address: u64,
}

impl World {
    fn new() -> Self {
        let metadata = Arc::new(Metadata::default());
        let mut world = Self::with(LockedSchemeFs::new(Arc::clone(&metadata)));
        world.metadata = metadata;
        world
    }

    fn with(file_system: impl FileSystem + 'static) -> Self {
        let store = MemStore::new(2 * PAGE_SIZE as u64, Duration::ZERO);
        let file = AddressSpace::new(store, file_system).unwrap();
        let process = Mm::new();
        let address = process.mmap(&file, 0, 2, Sharing::Shared);
        process
            .read(address, &mut [0], Patience::DEFAULT)
            .expect("the first page can be read");
        process
            .write(address + PAGE_SIZE as u64, &[1], Patience::DEFAULT)
            .expect("the second page can be written");
        let world = Self {
            metadata: Arc::default(),
            file,
            process,
            address,
        };
        assert_eq!(world.violations(), [], "before anything is broken");
        world
    }

    fn page(&self, index: u64) -> PageRef {
        self.file.find_get_page(index).expect("it is cached")
    }

    fn violations(&self) -> Vec<Violation> {
        self.file.check().err().unwrap_or_default()
    }
}

#[test]
fn finds_a_mapped_page_that_is_not_in_the_cache() {
    let world = World::new();
    let page = world.page(0).lock();
    world.file.remove_from_page_cache(&page, |_| false);
    drop(page);
    assert_eq!(world.violations(), [Violation::Orphan { index: 0 }]);
}

#[test]
fn finds_a_pte_that_was_an_orphan() {
    let world = World::new();
    let page = world.page(0).lock();
    world.file.remove_from_page_cache(&page, |_| false);
    drop(page);
    world.process.munmap(world.address, 1);
    assert_eq!(world.violations(), [Violation::OrphansUnmapped { ptes: 1 }]);
}

#[test]
fn finds_a_mapcount_too_high() {
    let world = World::new();
    world.page(0).add_rmap();
    let expected = Violation::Mapcount {
        index: 0,
        mapcount: 2,
        ptes: 1,
    };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_mapcount_too_low() {
    let world = World::new();
    world.page(0).remove_rmap();
    let expected = Violation::Mapcount {
        index: 0,
        mapcount: 0,
        ptes: 1,
    };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_reference_that_was_not_put() {
    let world = World::new();
    core::mem::forget(world.page(0));
    let expected = Violation::References {
        index: 0,
        references: 3,
        known: 2,
    };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_leaked_page() {
    let world = World::new();
    core::mem::forget(world.page(0));
    world.file.truncate(0).unwrap();
    drop(world.process);
    assert_eq!(
        world.file.check(),
        Err(vec![Violation::Leaked { pages: 1 }])
    );
}

#[test]
fn finds_a_page_mapped_beyond_the_end() {
    let world = World::new();
    world.file.filemap_write_and_wait_range(0..=1).unwrap();
    world.file.set_size(PAGE_SIZE as u64);
    assert_eq!(world.violations(), [Violation::BeyondEnd { index: 1 }]);
}

#[test]
fn finds_a_private_copy_beyond_the_end() {
    let world = World::new();
    let private = world.process.mmap(&world.file, 0, 2, Sharing::Private);
    let second = private + PAGE_SIZE as u64;
    world
        .process
        .write(second, &[2], Patience::DEFAULT)
        .unwrap();
    world.process.munmap(world.address, 2);
    assert_eq!(world.violations(), []);
    world.file.set_size(PAGE_SIZE as u64);
    assert_eq!(world.violations(), [Violation::BeyondEnd { index: 1 }]);
}

#[test]
fn finds_a_writable_page_without_metadata() {
    let world = World::new();
    let page = world.page(1).lock();
    world.file.file_system.page_cleaned(&page);
    drop(page);
    assert_eq!(world.violations(), [Violation::NoMetadata { index: 1 }]);
}

#[test]
fn finds_a_dirty_page_without_metadata() {
    let world = World::new();
    world.page(0).lock().set_dirty();
    assert_eq!(world.violations(), [Violation::NoMetadata { index: 0 }]);
}

#[test]
fn finds_metadata_of_a_clean_page() {
    let world = World::new();
    world.metadata.insert(0);
    assert_eq!(world.violations(), [Violation::MetadataLeft { index: 0 }]);
}

#[test]
fn finds_a_lost_dirty_bit() {
    let world = World::with(PlainFs::default());
    world.file.filemap_write_and_wait_range(1..=1).unwrap();
    for pte in world.process.page_table.lock().values_mut() {
        pte.writable = pte.page.index() == 1;
    }
    assert_eq!(world.violations(), [Violation::DirtyLost { index: 1 }]);
}

#[test]
fn finds_a_mapped_page_older_than_the_store() {
    let world = World::new();
    world.file.store.write_page(0, &[7; PAGE_SIZE]).unwrap();
    let expected = Violation::Stale {
        index: 0,
        mapped: true,
    };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_cached_page_older_than_the_store() {
    let world = World::new();
    world.process.munmap(world.address, 1);
    world.file.store.write_page(0, &[7; PAGE_SIZE]).unwrap();
    let expected = Violation::Stale {
        index: 0,
        mapped: false,
    };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_page_that_was_not_unlocked() {
    let world = World::new();
    let _locked = world.page(0).lock();
    // The guard is a reference, too.
    let references = Violation::References {
        index: 0,
        references: 3,
        known: 2,
    };
    assert_eq!(
        world.violations(),
        [references, Violation::Busy { index: 0 }]
    );
}

#[test]
fn everything_is_gone_after_teardown() {
    let world = World::new();
    drop(world.process);
    world.file.truncate(0).unwrap();
    assert_eq!(world.file.check(), Ok(()));
    assert_eq!(world.file.live_pages(), 0);
    assert!(world.metadata.is_empty());
}
