//! Large files. A node of the page index has 64 pages, and 64 locks take turns with the nodes: from page 4096
//! on, nodes share locks. Pages that share a node or a lock are still different pages.

use std::io;
use std::sync::Arc;

use seqschedlock_sim::page_cache::{
    Access, AddressSpace, Commit, Mm, PAGE_SIZE, PlainFs, Policy, Sharing, Store, VmFault,
};

use crate::world::{
    PAGE, all_is_well, failure, file, filled, process, read, under_every_policy, word_of, write,
};

const PAGES: u64 = 1 << 40;

/// Pages around the places where a node ends, and where the locks begin again.
const INTERESTING: [u64; 14] = [
    0,
    1,
    63,
    64,
    65,
    127,
    128,
    4095,
    4096,
    4097,
    262_143,
    262_144,
    262_145,
    PAGES - 1,
];

/// A store in which every word of a page is the number of the page. It forgets what is written.
#[derive(Debug)]
struct Numbered;

impl Store for Numbered {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        for word in page.chunks_exact_mut(8) {
            word.copy_from_slice(&index.to_le_bytes());
        }
        Ok(())
    }
    fn write_page(&self, _index: u64, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn size(&self) -> io::Result<u64> {
        Ok(PAGES * PAGE)
    }
    fn set_size(&self, _size: u64) -> io::Result<()> {
        Ok(())
    }
}

/// The file, with the interesting pages in the cache and mapped.
fn with_pages_mapped<P: Policy>() -> (Arc<AddressSpace<P>>, Mm<P>, u64) {
    let file = AddressSpace::<P>::new(Numbered, PlainFs::default()).unwrap();
    let (process, address) = process(&file);
    for page in INTERESTING {
        assert_eq!(read(&process, address + page * PAGE), page);
    }
    assert_eq!(file.live_pages(), INTERESTING.len());
    (file, process, address)
}

fn every_page_shows_its_own_bytes<P: Policy>() {
    let (file, process, address) = with_pages_mapped::<P>();
    for page in INTERESTING {
        assert_eq!(read(&process, address + page * PAGE + 8), page);
    }
    all_is_well(&file);
}

fn an_invalidate_removes_the_pages_of_its_range_and_no_other<P: Policy>() {
    for first in INTERESTING {
        for last in INTERESTING.into_iter().filter(|last| *last >= first) {
            let (file, process, address) = with_pages_mapped::<P>();
            let range = first..=last;
            let hit = INTERESTING.into_iter().filter(|page| range.contains(page));
            let expected = hit.count();
            assert_eq!(file.invalidate_inode_pages2_range(range.clone()), Ok(()));
            for page in INTERESTING {
                let mapped = process.peek(address + page * PAGE, &mut [0]);
                assert_eq!(mapped, !range.contains(&page), "page {page} of {range:?}");
            }
            assert_eq!(file.live_pages(), INTERESTING.len() - expected, "{range:?}");
            all_is_well(&file);
        }
    }
}

fn an_area_shows_the_part_of_the_file_it_was_made_for<P: Policy>() {
    let file = AddressSpace::<P>::new(Numbered, PlainFs::default()).unwrap();
    let process = Mm::new();
    let address = process.mmap(&file, 4090, 140, Sharing::Shared);
    for page in 0..140 {
        assert_eq!(read(&process, address + page * PAGE), 4090 + page);
    }
    // Two areas are left, one in front of the hole and one behind it.
    process.munmap(address + 6 * PAGE, 4);
    for page in (6..10).chain(140..300) {
        let answer = failure(&process, address + page * PAGE, Access::Read);
        assert_eq!(answer, VmFault::Segv, "page {page} of the area");
    }
    assert_eq!(file.invalidate_inode_pages2_range(4100..=4200), Ok(()));
    for page in (0..6).chain(10..140) {
        let index = 4090 + page;
        let mapped = process.peek(address + page * PAGE, &mut [0]);
        assert_eq!(mapped, !(4100..=4200).contains(&index), "page {index}");
        assert_eq!(read(&process, address + page * PAGE), index);
    }
    all_is_well(&file);
}

under_every_policy! {
    every_page_shows_its_own_bytes,
    an_invalidate_removes_the_pages_of_its_range_and_no_other,
    an_area_shows_the_part_of_the_file_it_was_made_for,
}

#[test]
fn pages_are_written_and_cut_off_wherever_they_are() {
    let (file, process, address) = with_pages_mapped::<Commit>();
    for page in INTERESTING {
        write(&process, address + page * PAGE, 1);
    }
    assert_eq!(file.filemap_write_and_wait_range(64..=4096), Ok(6));
    assert_eq!(file.filemap_write_and_wait_range(0..=u64::MAX), Ok(8));
    file.truncate(4097 * PAGE).unwrap();
    assert_eq!(file.pages(), 4097);
    assert_eq!(file.live_pages(), 9);
    assert_eq!(
        failure(&process, address + 4097 * PAGE, Access::Read),
        VmFault::Sigbus
    );
    assert_eq!(read(&process, address + 4096 * PAGE), 1);
}

#[test]
fn a_direct_write_replaces_the_pages_it_names() {
    let file = file::<Commit>(4200);
    let (process, address) = process(&file);
    for page in 4000..4200 {
        read(&process, address + page * PAGE);
    }
    let bytes: Vec<u8> = (1..=3).flat_map(filled).collect();
    file.direct_write(4095, &bytes).unwrap();
    for page in 4000..4200 {
        let expected = match page {
            4095..=4097 => word_of((page - 4094) as u8),
            _ => 0,
        };
        assert_eq!(read(&process, address + page * PAGE), expected, "{page}");
    }
    all_is_well(&file);
}
