//! `fault`, `mmap`, `munmap`: what is mapped where, and what is not.

use std::sync::Arc;
use std::time::Instant;

use seqschedlock::Conflict;
use seqschedlock_sim::page_cache::{
    Access, AddressSpace, AsPosted, Commit, Mm, Policy, Refusal, Sharing, Striped, Unprotected,
    Violation, VmFault,
};

use crate::world::{
    PAGE, PATIENCE, all_is_well, failure, file, filled, process, read, under_every_policy, word_of,
    write,
};

fn shared_stores_are_seen_by_every_process<P: Policy>() {
    let file = file::<P>(2);
    let (first, here) = process(&file);
    let (second, there) = process(&file);
    write(&first, here + PAGE + 8, 7);
    assert_eq!(read(&second, there + PAGE + 8), 7);
    assert_eq!(read(&second, there + PAGE), 0);
    assert_eq!(read(&second, there + 8), 0);
    all_is_well(&file);
}

fn private_stores_are_seen_by_nobody_else<P: Policy>() {
    let file = file::<P>(1);
    let (process, shared) = process(&file);
    let private = process.mmap(&file, 0, 1, Sharing::Private);
    // One copy is made of a page that is already mapped, the other by the very first fault.
    assert_eq!(read(&process, private), 0);
    write(&process, private, 1);
    let other = process.mmap(&file, 0, 1, Sharing::Private);
    write(&process, other + 8, 2);
    write(&process, shared + 16, 3);

    let words = |address| [0, 8, 16].map(|offset| read(&process, address + offset));
    assert_eq!(
        words(private),
        [1, 0, 0],
        "copied before anything was shared"
    );
    assert_eq!(words(other), [0, 2, 0], "copied before anything was shared");
    assert_eq!(words(shared), [0, 0, 3]);
    all_is_well(&file);
}

fn a_private_page_that_was_only_read_stays_that_of_the_file<P: Policy>() {
    let file = file::<P>(1);
    let (process, shared) = process(&file);
    let private = process.mmap(&file, 0, 1, Sharing::Private);
    assert_eq!(read(&process, private), 0);
    write(&process, shared, 5);
    assert_eq!(read(&process, private), 5);
    all_is_well(&file);
}

fn an_access_where_nothing_is_mapped_is_a_segv<P: Policy>() {
    let file = file::<P>(3);
    let (process, address) = process(&file);
    for access in [Access::Read, Access::Write] {
        assert_eq!(failure(&process, 0, access), VmFault::Segv);
        assert_eq!(failure(&process, address + 3 * PAGE, access), VmFault::Segv);
        assert_eq!(failure(&process, u64::MAX / 8 * 8, access), VmFault::Segv);
    }
    process.munmap(address + PAGE, 1);
    assert_eq!(read(&process, address), 0);
    assert_eq!(
        failure(&process, address + PAGE, Access::Read),
        VmFault::Segv
    );
    assert_eq!(read(&process, address + 2 * PAGE), 0);
    all_is_well(&file);
}

fn an_access_beyond_the_end_of_the_file_is_a_sigbus<P: Policy>() {
    let file = file::<P>(1);
    let process = Mm::new();
    let address = process.mmap(&file, 0, 2, Sharing::Shared);
    let private = process.mmap(&file, 0, 2, Sharing::Private);
    for access in [Access::Read, Access::Write] {
        for address in [address, private] {
            assert_eq!(failure(&process, address + PAGE, access), VmFault::Sigbus);
        }
    }
    assert_eq!(read(&process, address), 0);
    all_is_well(&file);
}

fn munmap_keeps_what_was_stored_and_forgets_private_copies<P: Policy>() {
    let file = file::<P>(3);
    let (process, address) = process(&file);
    write(&process, address + PAGE, 1);
    write(&process, address + 2 * PAGE, 2);
    process.munmap(address, 2);
    assert_eq!(read(&process, address + 2 * PAGE), 2);

    let private = process.mmap(&file, 1, 1, Sharing::Private);
    assert_eq!(read(&process, private), 1);
    write(&process, private, 9);
    process.munmap(private, 1);
    let again = process.mmap(&file, 1, 1, Sharing::Private);
    assert_eq!(read(&process, again), 1);
    all_is_well(&file);
}

fn an_area_that_was_cut_is_still_found_by_invalidates<P: Policy>() {
    let file = file::<P>(4);
    let (process, address) = process(&file);
    for page in 0..4 {
        read(&process, address + page * PAGE);
    }
    process.munmap(address + PAGE, 2);
    file.direct_write(0, &filled(1)).unwrap();
    file.direct_write(3, &filled(4)).unwrap();
    assert_eq!(read(&process, address), word_of(1));
    assert_eq!(read(&process, address + 3 * PAGE), word_of(4));
    all_is_well(&file);
}

fn a_fault_tells_whether_it_has_read_the_store<P: Policy>() {
    let file = file::<P>(1);
    let (first, here) = process(&file);
    let (second, there) = process(&file);
    let major = |process: &Mm<P>, address| {
        process
            .fault(address, Access::Read, PATIENCE)
            .unwrap()
            .major
    };
    assert!(major(&first, here));
    assert!(!major(&second, there));
    first.madvise_dontneed(here, 1);
    assert!(!major(&first, here));
}

fn nothing_is_left_after_teardown<P: Policy>() {
    let file = file::<P>(4);
    {
        let (process, address) = process(&file);
        let private = process.mmap(&file, 0, 4, Sharing::Private);
        for page in 0..4 {
            write(&process, address + page * PAGE, page);
            write(&process, private + page * PAGE, page);
        }
        assert_eq!(file.live_pages(), 8);
    }
    assert_eq!(file.live_pages(), 4);
    all_is_well(&file);
    file.truncate(0).unwrap();
    assert_eq!(file.live_pages(), 0);
    all_is_well(&file);
}

under_every_policy! {
    shared_stores_are_seen_by_every_process,
    private_stores_are_seen_by_nobody_else,
    a_private_page_that_was_only_read_stays_that_of_the_file,
    an_access_where_nothing_is_mapped_is_a_segv,
    an_access_beyond_the_end_of_the_file_is_a_sigbus,
    munmap_keeps_what_was_stored_and_forgets_private_copies,
    an_area_that_was_cut_is_still_found_by_invalidates,
    a_fault_tells_whether_it_has_read_the_store,
    nothing_is_left_after_teardown,
}

#[test]
#[should_panic(expected = "whole words of one page")]
fn a_read_over_the_end_of_a_page_names_the_contract() {
    let file = file::<Commit>(2);
    let (process, address) = process(&file);
    let _ = process.peek(address + PAGE - 8, &mut [0; 2]);
}

#[test]
#[should_panic(expected = "whole words of one page")]
fn a_read_of_half_a_word_names_the_contract() {
    let file = file::<Commit>(1);
    let (process, address) = process(&file);
    let _ = process.peek(address + 4, &mut [0; 1]);
}

#[test]
#[should_panic(expected = "an area has at least one page")]
fn an_area_of_no_pages_names_the_contract() {
    let file = file::<Commit>(1);
    Mm::new().mmap(&file, 0, 0, Sharing::Shared);
}

#[test]
#[should_panic(expected = "fits the address space")]
fn an_area_larger_than_the_address_space_names_the_contract() {
    let file = file::<Commit>(1);
    Mm::new().mmap(&file, 1, u64::MAX, Sharing::Shared);
}

/// A policy that makes something happen in its next fault, at the last moment before the page
/// counts as mapped.
struct Meanwhile<P> {
    policy: P,
}

std::thread_local! {
    static HAPPENS: core::cell::RefCell<Option<Box<dyn FnOnce()>>> = const { core::cell::RefCell::new(None) };
}

impl<P: Policy> Policy for Meanwhile<P> {
    const NAME: &'static str = P::NAME;
    const LOCKS_PAGE: bool = P::LOCKS_PAGE;
    const WATCHES_TRUNCATE: bool = P::WATCHES_TRUNCATE;
    const FALLS_BACK: bool = P::FALLS_BACK;

    type Attempt<'a> = P::Attempt<'a>;
    type Exclusion<'a> = P::Exclusion<'a>;
    type Section<'a> = P::Section<'a>;

    fn new() -> Self {
        Meanwhile { policy: P::new() }
    }

    fn begin(&self, index: u64, deadline: Option<Instant>) -> Result<P::Attempt<'_>, Refusal> {
        self.policy.begin(index, deadline)
    }

    fn before_rmap(&self, index: u64, attempt: &P::Attempt<'_>) -> Result<(), Conflict> {
        self.policy.before_rmap(index, attempt)?;
        if let Some(happens) = HAPPENS.take() {
            happens();
        }
        Ok(())
    }

    fn after_rmap(&self, index: u64, attempt: &P::Attempt<'_>) -> Result<(), Conflict> {
        self.policy.after_rmap(index, attempt)
    }

    fn exclude(&self) -> P::Exclusion<'_> {
        self.policy.exclude()
    }

    fn section(&self, index: u64) -> P::Section<'_> {
        self.policy.section(index)
    }
}

type File<P> = Arc<AddressSpace<Meanwhile<P>>>;

/// A file, and a process that has the first page rewritten under its next fault.
fn rewritten_meanwhile<P: Policy>() -> (File<P>, Mm<Meanwhile<P>>, u64) {
    let file = file::<Meanwhile<P>>(1);
    let (process, address) = process(&file);
    read(&process, address);
    process.madvise_dontneed(address, 1);
    let writer = Arc::clone(&file);
    HAPPENS.set(Some(Box::new(move || {
        writer.direct_write(0, &filled(1)).unwrap();
    })));
    (file, process, address)
}

/// The direct write has returned before the fault has, and every read after it is of the old page.
fn maps_an_orphan<P: Policy>() {
    let (file, process, address) = rewritten_meanwhile::<P>();
    assert_eq!(read(&process, address), 0);
    assert_eq!(read(&process, address), 0, "and so for ever");
    let (other, there) = crate::world::process(&file);
    assert_eq!(read(&other, there), word_of(1));
    assert_eq!(file.check(), Err(vec![Violation::Orphan { index: 0 }]));
    drop(process);
    assert_eq!(file.orphans(), 1);
}

#[test]
fn without_the_commit_a_page_rewritten_meanwhile_is_mapped_for_ever() {
    maps_an_orphan::<Unprotected>();
    maps_an_orphan::<AsPosted>();
}

fn looks_again<P: Policy>() {
    let (file, process, address) = rewritten_meanwhile::<P>();
    let mut word = [0];
    let faulted = process.read(address, &mut word, PATIENCE).unwrap().unwrap();
    assert_eq!((word[0], faulted.conflicts), (word_of(1), 1));
    all_is_well(&file);
}

#[test]
fn with_the_commit_a_page_rewritten_meanwhile_is_looked_up_again() {
    looks_again::<Commit>();
    looks_again::<Striped>();
}

/// What a private copy shows if its original was rewritten while it was made, and how the fault
/// went.
fn copy_of_a_page_rewritten_meanwhile<P: Policy>() -> (u64, u32) {
    let (file, process, _) = rewritten_meanwhile::<P>();
    let private = process.mmap(&file, 0, 1, Sharing::Private);
    let faulted = process.write(private + 8, &[0], PATIENCE).unwrap().unwrap();
    let word = read(&process, private);
    all_is_well(&file);
    (word, faulted.conflicts)
}

#[test]
fn a_private_copy_is_made_again_when_its_original_was_rewritten_meanwhile() {
    let again = (word_of(1), 1);
    assert_eq!(copy_of_a_page_rewritten_meanwhile::<Commit>(), again);
    assert_eq!(copy_of_a_page_rewritten_meanwhile::<Striped>(), again);
    let never_asked = (0, 0);
    assert_eq!(
        copy_of_a_page_rewritten_meanwhile::<Unprotected>(),
        never_asked
    );
}
