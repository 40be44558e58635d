//! Faults against a truncate.

use std::time::Instant;

use seqschedlock::Conflict;
use seqschedlock_sim::page_cache::{
    Access, AsPosted, Commit, InvalidateRwLock, PageLock, PlainFs, Policy, Refusal, Sharing,
    Striped, Unprotected, VmFault,
};

use crate::explore::explore;
use crate::world::{PATIENCE, World, for_policies};

/// Either the fault comes first and the truncate unmaps the page again, or the fault learns that
/// there is no page.
fn read_fault_and_truncate<P: Policy>() {
    explore(|| {
        let world = World::<P>::cached();
        truncating(world, Access::Read);
    });
}

/// The page is not even in the cache when the truncate looks for it.
fn cold_read_fault_and_truncate<P: Policy>() {
    explore(|| {
        let world = World::<P>::cold();
        truncating(world, Access::Read);
    });
}

/// The fault makes a private copy, which no page of the cache knows about.
fn private_write_fault_and_truncate<P: Policy>() {
    explore(|| {
        let world = World::<P>::new(PlainFs::default(), Sharing::Private);
        truncating(world, Access::Write);
    });
}

fn truncating<P: Policy>(world: World<P>, access: Access) {
    let fault = world.fault(access, PATIENCE);
    world.file.truncate(0).unwrap();
    match fault.join().unwrap() {
        Ok(()) | Err(VmFault::Sigbus) => {}
        Err(other) => panic!("{other}"),
    }
    assert_gone(&world);
    world.at_the_end();
}

fn assert_gone<P: Policy>(world: &World<P>) {
    assert!(
        !world.process.peek(world.address, &mut [0]),
        "a page beyond the end can still be read"
    );
}

for_policies! { read_fault_and_truncate:
    unprotected_read_fault_holds_against_truncate Unprotected,
    as_posted_read_fault_holds_against_truncate AsPosted,
    commit_read_fault_holds_against_truncate Commit,
    striped_read_fault_holds_against_truncate Striped,
    page_lock_read_fault_holds_against_truncate PageLock,
    invalidate_rwlock_read_fault_holds_against_truncate InvalidateRwLock,
}
for_policies! { cold_read_fault_and_truncate:
    unprotected_cold_fault_holds_against_truncate Unprotected,
    as_posted_cold_fault_holds_against_truncate AsPosted,
    commit_cold_fault_holds_against_truncate Commit,
    striped_cold_fault_holds_against_truncate Striped,
    page_lock_cold_fault_holds_against_truncate PageLock,
    invalidate_rwlock_cold_fault_holds_against_truncate InvalidateRwLock,
}
for_policies! { private_write_fault_and_truncate:
    unprotected_private_copy_holds_against_truncate Unprotected,
    as_posted_private_copy_holds_against_truncate AsPosted,
    commit_private_copy_holds_against_truncate Commit,
    striped_private_copy_holds_against_truncate Striped,
    page_lock_private_copy_holds_against_truncate PageLock,
    invalidate_rwlock_private_copy_holds_against_truncate InvalidateRwLock,
}

/// A half unmapped area is still mapped: the truncate has to find what `munmap` has not reached
/// yet.
fn munmap_and_truncate<P: Policy>() {
    explore(|| {
        let world = World::<P>::cached();
        world
            .process
            .fault(world.address, Access::Read, PATIENCE)
            .unwrap();
        let unmapping = world.spawn(|process, address| process.munmap(address, 1));
        world.file.truncate(0).unwrap();
        assert_gone(&world);
        unmapping.join().unwrap();
        world.at_the_end();
    });
}

for_policies! { munmap_and_truncate:
    commit_munmap_holds_against_truncate Commit,
}

/// A kernel before 2.6.0: nothing at all.
struct Nothing;

impl Policy for Nothing {
    const NAME: &'static str = "Nothing";
    const WATCHES_TRUNCATE: bool = false;

    type Attempt<'a> = ();
    type Exclusion<'a> = ();
    type Section<'a> = ();

    fn new() -> Self {
        Nothing
    }

    fn begin(&self, _index: u64, _deadline: Option<Instant>) -> Result<(), Refusal> {
        Ok(())
    }

    fn before_rmap(&self, _index: u64, _attempt: &()) -> Result<(), Conflict> {
        Ok(())
    }

    fn exclude(&self) {}

    fn section(&self, _index: u64) {}
}

/// What `truncate_count` is for:
///
/// 1. the fault sees the old size and finds the page;
/// 2. the truncate sets the new size, unmaps what is mapped, and removes the page;
/// 3. the fault maps it.
#[test]
#[should_panic(expected = "a page beyond the end can still be read")]
fn read_fault_races_with_truncate_without_truncate_count() {
    read_fault_and_truncate::<Nothing>();
}

/// The same, with a page that the truncate has never met.
#[test]
#[should_panic(expected = "a page beyond the end can still be read")]
fn private_copy_races_with_truncate_without_truncate_count() {
    private_write_fault_and_truncate::<Nothing>();
}
