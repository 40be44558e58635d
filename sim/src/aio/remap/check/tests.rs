//! Each invariant is broken on purpose, and the checker has to find that and what follows from it, and
//! nothing else.

use core::mem::forget;
use core::slice::from_ref;
use std::sync::Arc;

use super::super::{MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE, Rules, Steps, Version};
use super::{Changed, Violation};
use crate::aio::remap::Mm;
use crate::aio::remap::kioctx::KioCtx;
use crate::locks::lock;

/// Where nothing is.
const FREE: u64 = 0x1000_0000;

/// How many requests take a ring of two pages.
const TWO_PAGES: u32 = 100;

/// A process with a ring, of two pages if nothing else is said.
struct World {
    process: Mm,
    ring: u64,
    at: u64,
}

impl World {
    fn new() -> Self {
        Self::with(Version::Y2015.rules(), TWO_PAGES)
    }

    fn with(rules: Rules, requests: u32) -> Self {
        let process = Mm::new(rules);
        let at = process.io_setup(requests).unwrap();
        let ring = process.lookup(at).unwrap().ring();
        let world = Self { process, ring, at };
        assert_eq!(world.violations(), [], "before anything is broken");
        world
    }

    fn ctx(&self) -> Arc<KioCtx> {
        Arc::clone(lock(&self.process.table).get(0).unwrap())
    }

    /// Sets `user_id` alone.
    fn set_user_id(&self, user_id: u64) {
        let steps = Steps {
            hook_sets_mmap_base: false,
            ..Steps::ALL
        };
        self.ctx().set_place(user_id, &steps);
    }

    /// Sets `mmap_base` alone.
    fn set_mmap_base(&self, mmap_base: u64) {
        self.ctx().set_place(mmap_base, &Steps::ALL);
        self.set_user_id(self.at);
    }

    fn first_page(&self) -> u64 {
        self.at / PAGE_SIZE
    }

    /// The context goes, and its ring stays.
    fn leave_ring(&self) {
        let ctx = self.ctx();
        assert!(ctx.die(&Steps::ALL));
        lock(&self.process.table).remove(&ctx);
        ctx.put();
    }

    fn violations(&self) -> Vec<Violation> {
        self.process.check().err().unwrap_or_default()
    }
}

#[test]
fn finds_a_wrong_user_id() {
    let world = World::new();
    world.set_user_id(FREE);
    let World { ring, at, .. } = world;
    assert_eq!(
        world.violations(),
        [
            Violation::UserId {
                ring,
                user_id: FREE,
                at
            },
            Violation::NewIdUnknown { ring, at },
        ]
    );
}

#[test]
fn finds_a_wrong_mmap_base() {
    let world = World::new();
    world.set_mmap_base(FREE);
    let expected = Violation::MmapBase {
        ring: world.ring,
        mmap_base: FREE,
        at: world.at,
    };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_ring_that_is_gone() {
    let world = World::new();
    lock(&world.process.page_table).unmap(world.first_page()..world.first_page() + 2);
    let World { ring, at, .. } = world;
    let expected = Violation::Areas { ring, areas: 0, at };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_ring_in_two_areas() {
    let world = World::new();
    lock(&world.process.page_table).split_at(world.first_page() + 1);
    let World { ring, at, .. } = world;
    let expected = Violation::Areas { ring, areas: 2, at };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_ring_at_another_place() {
    let world = World::new();
    {
        let mut page_table = lock(&world.process.page_table);
        let ptes = page_table.lift(world.first_page()..world.first_page() + 2);
        page_table.put(FREE / PAGE_SIZE, ptes);
    }
    let World { ring, at, .. } = world;
    let expected = Violation::Areas { ring, areas: 1, at };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_ring_that_is_left() {
    let world = World::new();
    world.leave_ring();
    let World { ring, at, .. } = world;
    assert_eq!(world.violations(), [Violation::RingLeft { ring, at }]);
}

#[test]
fn finds_innocent_pages_that_were_unmapped() {
    let world = World::new();
    world.process.mmap(FREE, PAGE_SIZE).unwrap();
    world.set_mmap_base(FREE);
    world.process.io_destroy(world.at).unwrap();
    let World { ring, at, .. } = world;
    assert_eq!(
        world.violations(),
        [
            Violation::InnocentUnmapped { pages: 1 },
            Violation::RingLeft { ring, at },
        ]
    );
}

#[test]
fn finds_a_place_that_is_no_id() {
    let world = World::new();
    world.ctx().file.set_id(1);
    let World { ring, at, .. } = world;
    assert_eq!(world.violations(), [Violation::NewIdUnknown { ring, at }]);
}

#[test]
fn finds_an_id_where_the_ring_is_not() {
    let mut rules = Version::Y2015.rules();
    rules.steps.lookup_compares_user_id = false;
    let world = World::with(rules, 1);
    world.process.mmap(FREE, PAGE_SIZE).unwrap();
    let expected = Violation::OldIdAnswers {
        ring: world.ring,
        id: FREE,
    };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_dead_context_in_the_table() {
    let world = World::new();
    world.ctx().die(&Steps::ALL);
    assert_eq!(
        world.violations(),
        [
            Violation::DeadInTable { ring: world.ring },
            Violation::Leaked { contexts: 1 },
        ]
    );
}

#[test]
fn finds_a_context_that_is_not_in_the_table() {
    let world = World::new();
    let ctx = world.ctx();
    lock(&world.process.table).remove(&ctx);
    assert_eq!(
        world.violations(),
        [
            Violation::NotInTable { ring: world.ring },
            Violation::Leaked { contexts: 1 },
        ]
    );
}

#[test]
fn finds_a_reference_that_was_not_given_back() {
    let world = World::new();
    forget(world.process.lookup(world.at));
    let expected = Violation::Users {
        ring: world.ring,
        users: 2,
    };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_context_that_was_never_freed() {
    let world = World::new();
    forget(world.process.lookup(world.at));
    world.process.io_destroy(world.at).unwrap();
    assert_eq!(world.violations(), [Violation::Leaked { contexts: 1 }]);
}

#[test]
fn finds_a_reference_that_was_given_back_twice() {
    let world = World::new();
    let ctx = world.ctx();
    world.process.io_destroy(world.at).unwrap();
    ctx.put();
    assert_eq!(
        world.violations(),
        [Violation::FreedContextTouched { times: 1 }]
    );
}

#[test]
fn finds_a_freed_context_that_was_revived() {
    let world = World::new();
    let ctx = world.ctx();
    world.process.io_destroy(world.at).unwrap();
    let steps = Steps {
        lookup_tries_to_get: false,
        ..Steps::ALL
    };
    assert!(ctx.get(&steps));
    assert_eq!(
        world.violations(),
        [Violation::FreedContextTouched { times: 1 }]
    );
}

#[test]
fn finds_an_access_to_a_ring_that_is_left() {
    let world = World::new();
    world.leave_ring();
    let _ = world.process.load(world.at);
    let World { ring, at, .. } = world;
    assert_eq!(
        world.violations(),
        [
            Violation::LeftoverTouched { times: 1 },
            Violation::RingLeft { ring, at },
        ]
    );
}

#[test]
fn finds_a_hook_that_followed_a_null_pointer() {
    let world = World::new();
    let child = world.process.fork();
    let flags = MREMAP_MAYMOVE | MREMAP_FIXED;
    child
        .mremap(world.at, 2 * PAGE_SIZE, 2 * PAGE_SIZE, flags, FREE)
        .unwrap();
    let violations = child.check().unwrap_err();
    assert_eq!(violations, [Violation::NullTable { times: 1 }]);
    assert_eq!(world.violations(), [], "the parent is well");
}

#[test]
fn finds_what_has_changed_since() {
    let World { process, ring, at } = World::new();
    let before = process.snapshot();
    process.mmap(FREE, PAGE_SIZE).unwrap();
    let mapped = process.snapshot();
    let what = Changed::Page { at: FREE };
    assert_eq!(
        before.unchanged_but(&mapped, &[], &[]),
        Err(Violation::Changed { what })
    );
    assert_eq!(
        before.unchanged_but(&mapped, from_ref(&(FREE..FREE + PAGE_SIZE)), &[]),
        Ok(())
    );

    let flags = MREMAP_MAYMOVE | MREMAP_FIXED;
    process
        .mremap(at, 2 * PAGE_SIZE, 2 * PAGE_SIZE, flags, FREE)
        .unwrap();
    let moved = process.snapshot();
    let places = [at..at + 2 * PAGE_SIZE, FREE..FREE + 2 * PAGE_SIZE];
    let what = Changed::Context { ring };
    assert_eq!(
        mapped.unchanged_but(&moved, &places, &[]),
        Err(Violation::Changed { what })
    );
    assert_eq!(mapped.unchanged_but(&moved, &places, &[ring]), Ok(()));
}
