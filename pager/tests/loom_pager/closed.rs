//! `Closed` and its twins.

use core::ops::Range;

use seqschedlock::{Park, RawSeqSchedLock, Stamp, WriteGuard};
use seqschedlock_pager::{Closed, Fault, Memory, Policy};

use crate::explore::{explore, explore_to};
use crate::world::{World, at_once};

fn a_fault_and_an_invalidation<P: Policy>() {
    explore(|| at_once(World::<P>::new(), [World::fault, World::invalidate]));
}

#[test]
fn no_stale_page_is_mapped() {
    a_fault_and_an_invalidation::<Closed>();
}

#[test]
fn two_invalidations_in_a_row_leave_no_stale_page() {
    explore_to(2, || {
        at_once(
            World::<Closed>::new(),
            [World::fault, World::invalidate_twice],
        )
    });
}

#[test]
fn two_handlers_on_one_page_map_no_stale_page() {
    explore_to(2, || {
        at_once(
            World::<Closed>::new(),
            [World::fault, World::fault, World::invalidate],
        );
    });
}

#[test]
fn no_old_failure_is_mapped() {
    explore(|| at_once(World::<Closed>::broken(), [World::fault, World::invalidate]));
}

#[test]
fn a_page_that_is_evicted_meanwhile_is_not_mapped_stale() {
    explore_to(2, || {
        at_once(
            World::<Closed>::new(),
            [World::fault, World::invalidate, World::evict],
        );
    });
}

/// The committed page stays behind the mapping, and a late `open` maps it.
#[test]
#[should_panic(expected = "a stale page is mapped")]
fn taking_pages_out_of_the_mapping_alone() {
    explore(|| {
        at_once(
            World::<Closed>::that_only_zaps(),
            [World::fault, World::invalidate],
        );
    });
}

/// `Closed` without turns and failures. With `EARLY` it commits before the page is behind the mapping.
#[derive(Debug)]
struct Twin<const EARLY: bool> {
    lock: RawSeqSchedLock<Park>,
}

impl<const EARLY: bool> Twin<EARLY> {
    fn begin(&self) -> Stamp {
        self.lock.read_begin_wait()
    }

    fn finish<M: Memory>(&self, fault: &mut Fault<'_, M>, stamp: Stamp) -> bool {
        let early = EARLY.then(|| self.lock.read_commit(stamp));
        fault.fill();
        let committed = early.unwrap_or_else(|| self.lock.read_commit(stamp));
        let done = committed.is_ok() && fault.open();
        if !done {
            fault.take_back();
        }
        done
    }
}

impl<const EARLY: bool> Policy for Twin<EARLY> {
    const NAME: &'static str = "Twin";
    const BEHIND: bool = true;

    type Section<'a> = WriteGuard<'a, Park>;

    fn new(_pages: usize, _block: usize) -> Self {
        Self {
            lock: RawSeqSchedLock::new(),
        }
    }

    fn serve<M: Memory>(&self, fault: &mut Fault<'_, M>) {
        loop {
            let stamp = self.begin();
            fault.load();
            if self.finish(fault, stamp) {
                return;
            }
        }
    }

    fn invalidate<M: Memory>(&self, pages: Range<usize>, memory: &M) -> WriteGuard<'_, Park> {
        let section = self.lock.write();
        memory.take_out(pages);
        section
    }
}

#[test]
fn the_original_of_the_twins_holds() {
    a_fault_and_an_invalidation::<Twin<false>>();
}

/// A section between the commit and the `fill` finds no page to take out.
#[test]
#[should_panic(expected = "a stale page is mapped")]
fn committing_before_the_page_is_there() {
    a_fault_and_an_invalidation::<Twin<true>>();
}

/// Both handlers have taken a stamp and loaded the old page.
///
/// 1. The first handler fills and commits.
/// 2. An invalidation takes the page out.
/// 3. The second handler fills. Its commit would fail.
/// 4. The first handler opens the page of the second.
#[test]
#[should_panic(expected = "a stale page is mapped")]
fn two_handlers_on_one_page_without_flights() {
    fn rest<const NTH: usize>(world: &World<Twin<false>>) {
        world.rest_of_a_fault(|policy, fault| {
            policy.finish(fault, world.stamps[NTH].unwrap());
        });
    }
    explore(|| {
        let mut world = World::<Twin<false>>::new();
        world.stamps = [(); 2].map(|()| Some(world.policy.begin()));
        at_once(world, [rest::<0>, rest::<1>, World::invalidate]);
    });
}
