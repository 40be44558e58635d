//! `Gate` and its twins.

use core::ops::Range;

use loom::sync::Mutex;
use seqschedlock::{Conflict, Park, RawSeqSchedLock, Stamp, WriteGuard};
use seqschedlock_pager::{Fault, Gate, Memory, Policy};

use crate::explore::{explore, explore_to};
use crate::world::{World, at_once};

fn a_fault_and_an_invalidation<P: Policy>() {
    explore(|| at_once(World::<P>::new(), [World::fault, World::invalidate]));
}

#[test]
fn no_stale_page_is_mapped() {
    a_fault_and_an_invalidation::<Gate>();
}

#[test]
fn two_invalidations_in_a_row_leave_no_stale_page() {
    explore_to(2, || {
        at_once(
            World::<Gate>::new(),
            [World::fault, World::invalidate_twice],
        )
    });
}

#[test]
fn two_handlers_on_one_page_map_no_stale_page() {
    explore_to(2, || {
        at_once(
            World::<Gate>::new(),
            [World::fault, World::fault, World::invalidate],
        );
    });
}

#[test]
fn no_old_failure_is_mapped() {
    explore(|| at_once(World::<Gate>::broken(), [World::fault, World::invalidate]));
}

/// A gate and a lock, which are all that a `GatedSeqSchedLock` is. The lock's own models look at the real one.
#[derive(Debug)]
struct Parts {
    gate: Mutex<()>,
    lock: RawSeqSchedLock<Park>,
}

impl Parts {
    fn new() -> Self {
        Self {
            gate: Mutex::new(()),
            lock: RawSeqSchedLock::new(),
        }
    }

    /// Begins a section in the gate, as it should.
    fn write(&self) -> WriteGuard<'_, Park> {
        let _gate = self.gate.lock().unwrap();
        self.lock.write()
    }

    /// Validates, then publishes, both in the gate.
    fn commit(&self, stamp: Stamp, publish: impl FnOnce()) -> Result<(), Conflict> {
        let _gate = self.gate.lock().unwrap();
        self.lock.read_end(stamp)?;
        publish();
        Ok(())
    }

    /// Begins a section outside the gate.
    fn write_anywhere(&self) -> WriteGuard<'_, Park> {
        self.lock.write()
    }
}

/// One stripe, for handlers that have loaded their page before the threads start. It takes no turns. Built from parts,
/// because loom would not get through every order of three threads that may be in line for the turn of a real gate.
#[derive(Debug)]
struct Stripe(Parts);

impl Policy for Stripe {
    const NAME: &'static str = "Stripe";

    type Section<'a> = WriteGuard<'a, Park>;

    fn new(_pages: usize, _block: usize) -> Self {
        Stripe(Parts::new())
    }

    fn serve<M: Memory>(&self, _fault: &mut Fault<'_, M>) {
        unreachable!("these models only run the rest of a fault");
    }

    fn invalidate<M: Memory>(&self, pages: Range<usize>, memory: &M) -> WriteGuard<'_, Park> {
        let section = self.0.write();
        memory.take_out(pages);
        section
    }
}

/// A handler that took a stamp and loaded the page before the threads started.
fn rest<const NTH: usize>(world: &World<Stripe>) {
    world.rest_of_a_fault(|stripe, fault| {
        let stamp = world.stamps[NTH].unwrap();
        let _overtaken = stripe.0.commit(stamp, || fault.map());
    });
}

fn with_loaded_pages() -> World<Stripe> {
    let mut world = World::<Stripe>::new();
    world.stamps = [(); 2].map(|()| Some(world.policy.0.lock.read_begin_wait()));
    world
}

#[test]
fn two_invalidations_that_overlap_leave_no_stale_page() {
    explore(|| {
        at_once(
            with_loaded_pages(),
            [rest::<0>, World::invalidate, World::invalidate],
        );
    });
}

/// `Gate` does not need flights; they only save loads.
#[test]
fn two_handlers_without_flights_map_no_stale_page() {
    explore(|| {
        at_once(
            with_loaded_pages(),
            [rest::<0>, rest::<1>, World::invalidate],
        )
    });
}

/// Defines a policy by its fault, and by the way its sections begin.
macro_rules! twin {
    ($(#[doc = $doc:literal])* $Twin:ident, |$parts:ident, $fault:ident| $serve:block) => {
        twin! { $(#[doc = $doc])* $Twin, |$parts, $fault| $serve, write: Parts::write }
    };
    ($(#[doc = $doc:literal])* $Twin:ident, |$parts:ident, $fault:ident| $serve:block, write: $write:expr) => {
        $(#[doc = $doc])*
        #[derive(Debug)]
        struct $Twin(Parts);

        impl Policy for $Twin {
            const NAME: &'static str = stringify!($Twin);

            type Section<'a> = WriteGuard<'a, Park>;

            fn new(_pages: usize, _block: usize) -> Self {
                $Twin(Parts::new())
            }

            fn serve<M: Memory>(&self, $fault: &mut Fault<'_, M>) {
                let $parts = &self.0;
                loop $serve
            }

            fn invalidate<M: Memory>(&self, pages: Range<usize>, memory: &M) -> WriteGuard<'_, Park> {
                let section = $write(&self.0);
                memory.take_out(pages);
                section
            }
        }
    };
}

twin! {
    /// `Gate` without turns, built like the twins.
    Whole, |parts, fault| {
        let stamp = parts.lock.read_begin_wait();
        fault.load();
        if parts.commit(stamp, || fault.map()).is_ok() {
            return;
        }
    }
}

#[test]
fn the_original_of_the_twins_holds() {
    a_fault_and_an_invalidation::<Whole>();
}

twin! {
    /// Validates before it enters the gate.
    ValidatedOutside, |parts, fault| {
        let stamp = parts.lock.read_begin_wait();
        fault.load();
        if parts.lock.read_end(stamp).is_ok() {
            let _gate = parts.gate.lock().unwrap();
            return fault.map();
        }
    }
}

/// A whole section fits between the validation and the gate.
#[test]
#[should_panic(expected = "a stale page is mapped")]
fn validating_outside_the_gate() {
    a_fault_and_an_invalidation::<ValidatedOutside>();
}

twin! {
    /// Copies first, then validates, as is right for an entry of a cache.
    Open, |parts, fault| {
        let stamp = parts.lock.read_begin_wait();
        fault.load();
        fault.map();
        if parts.lock.read_commit(stamp).is_ok() {
            return;
        }
        fault.take_back();
    }
}

/// The page is taken back, but threads could read it before.
#[test]
#[should_panic(expected = "a stale page is mapped")]
fn copying_before_the_validation() {
    a_fault_and_an_invalidation::<Open>();
}

twin! {
    /// Begins sections outside the gate.
    NotThroughTheGate, |parts, fault| {
        let stamp = parts.lock.read_begin_wait();
        fault.load();
        let _gate = parts.gate.lock().unwrap();
        if parts.lock.read_end(stamp).is_ok() {
            return fault.map();
        }
    }, write: Parts::write_anywhere
}

/// A section begins between the validation and the mapping, although both are in the gate.
#[test]
#[should_panic(expected = "a stale page is mapped")]
fn beginning_sections_outside_the_gate() {
    a_fault_and_an_invalidation::<NotThroughTheGate>();
}

twin! {
    /// Takes a turn without waiting for running sections.
    ImpatientTurn, |parts, fault| {
        let _gate = parts.gate.lock().unwrap();
        fault.load();
        return fault.map();
    }
}

/// The gate keeps sections from beginning. It does not stop running ones.
#[test]
#[should_panic(expected = "a stale page is mapped")]
fn taking_a_turn_without_waiting_for_the_sections_that_run() {
    a_fault_and_an_invalidation::<ImpatientTurn>();
}

twin! {
    /// Takes a turn, and waits for the sections that run.
    Turn, |parts, fault| {
        let _gate = parts.gate.lock().unwrap();
        let _none_runs = parts.lock.read_begin_wait();
        fault.load();
        return fault.map();
    }
}

/// A stamp that nothing could overtake need not be validated: with it comes all that ended sections wrote.
#[test]
fn a_turn_that_waits_for_the_sections_that_run() {
    a_fault_and_an_invalidation::<Turn>();
}
