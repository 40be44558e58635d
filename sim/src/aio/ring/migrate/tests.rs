//! What a migration answers when it is refused, and that it leaves everything as it was then.

use std::sync::Arc;

use super::Migration;
use crate::aio::Errno;
use crate::aio::ring::context::{KioCtx, Ring};
use crate::aio::ring::page::RingPage;
use crate::aio::ring::{Migrate, Mm, Version, Violation};

/// A ring of two pages, the first of which is to be moved.
struct World {
    mm: Arc<Mm>,
    context: Arc<KioCtx>,
    ring: Arc<Ring>,
    page: Arc<RingPage>,
}

impl World {
    fn new(version: Version) -> Self {
        let mm = Mm::new(version);
        let id = mm.io_setup(200).unwrap();
        let ring = mm.area(id).unwrap();
        let page = ring.page(0).unwrap();
        let context = Arc::clone(&mm.context(id).unwrap().context);
        Self {
            mm,
            context,
            ring,
            page,
        }
    }

    /// The page is not moved, and nothing is wrong.
    fn refuses(&self, expected: Errno) {
        let name = self.mm.version.name;
        assert_eq!(self.mm.compact(0), Err(expected), "{name}");
        let still = self.ring.page(0).unwrap();
        assert!(Arc::ptr_eq(&still, &self.page), "{name}: the cache");
    }

    fn moves(&self) {
        let name = self.mm.version.name;
        assert_eq!(self.mm.compact(0), Ok(()), "{name}");
        let new = self.ring.page(0).unwrap();
        assert!(!Arc::ptr_eq(&new, &self.page), "{name}: the cache");
    }

    fn is_well(&self) {
        let name = self.mm.version.name;
        assert_eq!(self.mm.check(), Ok(()), "{name}");
    }
}

#[test]
fn a_page_with_another_reference_is_refused() {
    for version in Version::ALL {
        let world = World::new(version);
        world.page.get();
        world.refuses(Errno::Again);
        world.page.put();
        world.is_well();
        world.moves();
        world.is_well();
    }
}

#[test]
fn a_ring_that_is_locked_is_refused_by_those_who_try_its_lock() {
    let waits = |version: &Version| version.migrate == Migrate::WaitsForRingLock;
    for version in Version::ALL.into_iter().filter(|version| !waits(version)) {
        let world = World::new(version);
        let ring_lock = world.context.ring_lock().unwrap();
        match version.migrate {
            Migrate::TriesRingLock(_) | Migrate::HoldsPrivateLock => {
                world.refuses(Errno::Again);
            }
            _ => world.moves(),
        }
        drop(ring_lock);
        world.is_well();
    }
}

#[test]
fn the_first_draft_waits_for_a_ring_that_is_locked() {
    let world = World::new(Version::V1);
    let ring_lock = world.context.ring_lock().unwrap();
    world.refuses(Errno::Deadlock); // with nobody else there
    drop(ring_lock);
    assert_eq!(world.mm.findings()[&Violation::Deadlock], 1);
}

#[test]
fn a_page_that_the_context_has_exchanged_is_refused() {
    for version in Version::ALL {
        let world = World::new(version);
        let pointer = world.context.ring_page(0);
        let other = world.ring.page(1);
        pointer.store(other);
        world.refuses(Errno::Again);
        pointer.store(Some(Arc::clone(&world.page)));
        world.is_well();
    }
}

#[test]
fn a_page_beyond_the_ring_is_refused() {
    for version in Version::ALL {
        let world = World::new(version);
        world.context.set_nr_pages(0);
        world.refuses(Errno::Invalid);
        world.context.set_nr_pages(2);
        world.is_well();
    }
}

#[test]
fn a_file_without_a_context_is_refused() {
    for version in Version::ALL {
        let world = World::new(version);
        world.ring.set_private_data(None);
        world.refuses(Errno::Invalid);
        let context = Arc::clone(&world.context);
        world.ring.set_private_data(Some(context));
        world.is_well();
    }
}

#[test]
fn a_context_without_users_is_refused_by_those_who_ask() {
    for version in [Version::SEED_TRYGET, Version::COMMIT] {
        let world = World::new(version);
        let last = world.context.put();
        world.refuses(Errno::Invalid);
        drop(last);
        world.context.get();
        world.is_well();
    }
}

#[test]
fn a_truncated_page_is_refused() {
    for version in Version::ALL {
        let world = World::new(version);
        world.page.set_mapping(false);
        world.refuses(Errno::Again);
        world.page.set_mapping(true);
        world.is_well();
    }
}

/// The context goes between the two looks: too late, the page has been moved.
#[test]
fn a_context_that_goes_between_the_looks_is_ebusy() {
    let world = World::new(Version::Y2013);
    let new = RingPage::new(0, &world.mm.witness);
    let migration = Migration {
        version: Version::Y2013,
        ring: &world.ring,
        old: &world.page,
        new: &new,
    };
    world.ring.set_private_data(None);
    world.page.get(); // as one who isolates it does
    assert_eq!(migration.move_and_look_again(), Err(Errno::Busy));
    let cached = world.ring.page(0).unwrap();
    assert!(Arc::ptr_eq(&cached, &new), "the new page is in the cache");
}

/// And that is what the caller of it reports.
#[test]
fn a_migration_that_fails_after_the_move_is_found_out() {
    let world = World::new(Version::Y2013);
    world.ring.set_private_data(None);
    let new = RingPage::new(0, &world.mm.witness);
    let migration = Migration {
        version: Version::Y2013,
        ring: &world.ring,
        old: &world.page,
        new: &new,
    };
    world.page.get();
    let moved = migration.move_and_look_again();
    migration.check_failure(moved);
    let found = world.mm.findings();
    assert_eq!(found[&Violation::FailedAfterMove], 1);
}
