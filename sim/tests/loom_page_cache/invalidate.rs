//! A read fault against the two invalidates.

use loom::thread::spawn;
use seqschedlock::{Conflict, Park, RawSeqSchedLock, Stamp, WriteGuard};
use seqschedlock_sim::page_cache::{
    Access, AsPosted, Commit, InvalidateRwLock, Mm, PageLock, Patience, Policy, Refusal, Sharing,
    Striped, Unprotected,
};
use std::sync::Arc;
use std::time::Instant;

use crate::explore::{explore, explore_to};
use crate::world::{PATIENCE, STUBBORN, World, for_policies};

/// `invalidate_mapping_pages`, which leaves mapped pages alone.
fn fault_and_invalidate<P: Policy>() {
    explore(|| invalidating::<P>(PATIENCE));
}

fn stubborn_fault_and_invalidate<P: Policy>() {
    explore(|| invalidating::<P>(STUBBORN));
}

fn invalidating<P: Policy>(patience: Patience) {
    let world = World::<P>::cached();
    let fault = world.fault(Access::Read, patience);
    world.file.invalidate_mapping_pages(0..=0);
    fault.join().unwrap().unwrap();
    world.at_the_end();
}

/// `invalidate_inode_pages2_range`, which unmaps them first.
fn fault_and_invalidate2<P: Policy>() {
    explore(|| invalidating2::<P>(PATIENCE));
}

fn stubborn_fault_and_invalidate2<P: Policy>() {
    explore(|| invalidating2::<P>(STUBBORN));
}

fn invalidating2<P: Policy>(patience: Patience) {
    let world = World::<P>::cached();
    let fault = world.fault(Access::Read, patience);
    world.file.invalidate_inode_pages2_range(0..=0).unwrap();
    fault.join().unwrap().unwrap();
    world.at_the_end();
}

/// Two processes fault while a third thread invalidates. (Two preemptions: with three the model
/// does not finish.)
fn two_processes_and_invalidate2<P: Policy>() {
    explore_to(2, || {
        let world = World::<P>::cached();
        let other = Mm::new();
        let address = other.mmap(&world.file, 0, 1, Sharing::Shared);
        let other = Arc::new(other);
        let first = world.fault(Access::Read, PATIENCE);
        let second = spawn({
            let other = Arc::clone(&other);
            move || other.fault(address, Access::Read, PATIENCE).map(|_| ())
        });
        world.file.invalidate_inode_pages2_range(0..=0).unwrap();
        first.join().unwrap().unwrap();
        second.join().unwrap().unwrap();
        world.file.check().expect("every invariant holds");
        drop(other);
        world.at_the_end();
    });
}

/// The race, as it was found in 2005:
///
/// 1. the fault finds the page in the cache;
/// 2. the invalidate locks the page, sees that nobody maps it, removes it and unlocks it;
/// 3. the fault, which has neither taken a lock nor checked again, maps the page.
#[test]
#[should_panic(expected = "is mapped but not in the cache")]
fn unprotected_fault_races_with_invalidate() {
    fault_and_invalidate::<Unprotected>();
}

/// As with the other invalidate. Unmapping first does not help, since there is nothing to unmap
/// yet.
#[test]
#[should_panic(expected = "is mapped but not in the cache")]
fn unprotected_fault_races_with_invalidate2() {
    fault_and_invalidate2::<Unprotected>();
}

/// What the patch left open:
///
/// 1. the fault takes its stamp, finds the page, locks the page table and validates the stamp: no
///    invalidate has run;
/// 2. the invalidate begins its section, sees that nobody maps the page, removes it and ends the
///    section, without ever asking for the page-table lock;
/// 3. the fault maps the page.
#[test]
#[should_panic(expected = "is mapped but not in the cache")]
fn as_posted_fault_races_with_invalidate() {
    fault_and_invalidate::<AsPosted>();
}

/// As above.
#[test]
#[should_panic(expected = "is mapped but not in the cache")]
fn as_posted_fault_races_with_invalidate2() {
    fault_and_invalidate2::<AsPosted>();
}

/// `Commit`, but with `read_end` where `read_commit` belongs.
struct EndInsteadOfCommit {
    lock: RawSeqSchedLock<Park>,
}

impl Policy for EndInsteadOfCommit {
    const NAME: &'static str = "EndInsteadOfCommit";
    const FALLS_BACK: bool = true;

    type Attempt<'a> = Stamp;
    type Exclusion<'a> = ();
    type Section<'a> = WriteGuard<'a, Park>;

    fn new() -> Self {
        EndInsteadOfCommit {
            lock: RawSeqSchedLock::new(),
        }
    }

    fn begin(&self, _index: u64, _deadline: Option<Instant>) -> Result<Stamp, Refusal> {
        self.lock.read_begin().map_err(Refusal::Conflict)
    }

    fn after_rmap(&self, _index: u64, stamp: &Stamp) -> Result<(), Conflict> {
        self.lock.read_end(*stamp)
    }

    fn exclude(&self) {}

    fn section(&self, _index: u64) -> WriteGuard<'_, Park> {
        self.lock.write()
    }
}

/// Why `read_commit` has a fence: without it, the fault's count is still in its store buffer when
/// it looks for a section, and the section is still in the other thread's when that looks for the
/// count.
#[test]
#[should_panic(expected = "is mapped but not in the cache")]
fn end_instead_of_commit_races_with_invalidate() {
    fault_and_invalidate::<EndInsteadOfCommit>();
}

for_policies! { fault_and_invalidate:
    commit_holds_against_invalidate Commit,
    striped_holds_against_invalidate Striped,
    page_lock_holds_against_invalidate PageLock,
    invalidate_rwlock_holds_against_invalidate InvalidateRwLock,
}
for_policies! { fault_and_invalidate2:
    commit_holds_against_invalidate2 Commit,
    striped_holds_against_invalidate2 Striped,
    page_lock_holds_against_invalidate2 PageLock,
    invalidate_rwlock_holds_against_invalidate2 InvalidateRwLock,
}
for_policies! { stubborn_fault_and_invalidate:
    commit_without_fallback_holds_against_invalidate Commit,
    striped_without_fallback_holds_against_invalidate Striped,
}
for_policies! { stubborn_fault_and_invalidate2:
    commit_without_fallback_holds_against_invalidate2 Commit,
    striped_without_fallback_holds_against_invalidate2 Striped,
}
for_policies! { two_processes_and_invalidate2:
    commit_holds_for_two_processes Commit,
    page_lock_holds_for_two_processes PageLock,
    invalidate_rwlock_holds_for_two_processes InvalidateRwLock,
}
