//! Truncate: shorter, longer, and what is left at the cut.

use seqschedlock_sim::page_cache::{Access, Policy, Sharing, VmFault};

use crate::world::{PAGE, all_is_well, failure, file, process, read, under_every_policy, write};

fn nothing_beyond_the_end_is_mapped_or_cached<P: Policy>() {
    let file = file::<P>(3);
    let (process, address) = process(&file);
    let private = process.mmap(&file, 0, 3, Sharing::Private);
    for page in 0..3 {
        write(&process, address + page * PAGE, 1);
        write(&process, private + page * PAGE, 2);
    }
    file.truncate(PAGE).unwrap();
    assert_eq!((file.size(), file.pages()), (PAGE, 1));
    assert_eq!(file.live_pages(), 2);
    for address in [address, private] {
        for access in [Access::Read, Access::Write] {
            assert_eq!(failure(&process, address + PAGE, access), VmFault::Sigbus);
        }
    }
    assert_eq!(read(&process, address), 1);
    assert_eq!(read(&process, private), 2);
    all_is_well(&file);
}

fn what_was_cut_off_comes_back_as_zeros<P: Policy>() {
    let file = file::<P>(2);
    let (process, address) = process(&file);
    for offset in [0, 8, 16, PAGE] {
        write(&process, address + offset, u64::MAX);
    }
    file.filemap_write_and_wait_range(0..=1).unwrap();
    file.truncate(12).unwrap();
    let words = [0, 8, 16].map(|offset| read(&process, address + offset));
    assert_eq!(words, [u64::MAX, u64::from(u32::MAX), 0], "at once");
    file.truncate(2 * PAGE).unwrap();
    let words = [0, 8, 16, PAGE].map(|offset| read(&process, address + offset));
    assert_eq!(words, [u64::MAX, u64::from(u32::MAX), 0, 0]);
    all_is_well(&file);
}

fn what_was_stored_beyond_the_end_is_not_part_of_a_longer_file<P: Policy>() {
    let file = file::<P>(1);
    let (process, address) = process(&file);
    file.truncate(8).unwrap();
    write(&process, address + 8, 1);
    file.truncate(PAGE).unwrap();
    assert_eq!(read(&process, address + 8), 0);
    all_is_well(&file);
}

fn a_file_cut_to_nothing_keeps_no_page<P: Policy>() {
    let file = file::<P>(70);
    let (process, address) = process(&file);
    for page in 0..70 {
        write(&process, address + page * PAGE, 1);
    }
    file.truncate(0).unwrap();
    assert_eq!(file.live_pages(), 0);
    assert_eq!(failure(&process, address, Access::Read), VmFault::Sigbus);
    all_is_well(&file);
}

under_every_policy! {
    nothing_beyond_the_end_is_mapped_or_cached,
    what_was_cut_off_comes_back_as_zeros,
    what_was_stored_beyond_the_end_is_not_part_of_a_longer_file,
    a_file_cut_to_nothing_keeps_no_page,
}
