//! The rivals. `Unprotected` shows that the models find the race.

use seqschedlock_pager::{PageMutex, Policy, RwLock, Unprotected};

use crate::explore::explore;
use crate::world::{World, at_once};

fn a_fault_and_an_invalidation<P: Policy>() {
    explore(|| at_once(World::<P>::new(), [World::fault, World::invalidate]));
}

/// The handler loads the old page, the page is invalidated, and the handler maps the old page.
#[test]
#[should_panic(expected = "a stale page is mapped")]
fn unprotected_a_stale_page_is_mapped() {
    a_fault_and_an_invalidation::<Unprotected>();
}

#[test]
fn under_a_rwlock_no_stale_page_is_mapped() {
    a_fault_and_an_invalidation::<RwLock>();
}

#[test]
fn under_page_mutexes_no_stale_page_is_mapped() {
    a_fault_and_an_invalidation::<PageMutex>();
}
