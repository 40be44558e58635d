//! Each invariant is broken on purpose, and the checker has to find that.

use std::sync::Arc;

use crate::aio::lockdep::LockClass;
use crate::aio::locks::SpinLock;
use crate::aio::ring::file::RingFile;
use crate::aio::ring::page::{NO_ID, RingPage};
use crate::aio::ring::{Buffer, ContextRef, Mm, Receipts, Version, Violation};

/// A ring of two pages with one event in it.
struct World {
    mm: Arc<Mm>,
    id: u64,
}

impl World {
    fn new() -> Self {
        let mm = Mm::new(Version::MERGED);
        let id = mm.io_setup(200).unwrap();
        mm.context(id).unwrap().io_submit().unwrap().complete(1);
        let world = Self { mm, id };
        assert_eq!(world.violations(), [], "before anything is broken");
        world
    }

    fn context(&self) -> ContextRef {
        self.mm.context(self.id).unwrap()
    }

    /// The page in the cache.
    fn page(&self, index: usize) -> Arc<RingPage> {
        let file = Arc::clone(self.context().context.file().unwrap());
        file.page(index).unwrap()
    }

    fn violations(&self) -> Vec<Violation> {
        self.mm.check().err().unwrap_or_default()
    }

    fn destroyed(&self) -> Vec<Violation> {
        self.mm.io_destroy(self.id).unwrap();
        self.violations()
    }
}

#[test]
fn finds_a_lost_head() {
    let world = World::new();
    world.page(0).set_head(3);
    assert_eq!(world.violations(), [Violation::HeadLost]);
}

#[test]
fn finds_a_lost_head_when_it_is_read() {
    let world = World::new();
    world.page(0).set_head(1);
    let events = world.context().read_events(9, Buffer::Present).unwrap();
    assert_eq!(events, [], "the ring seems to be empty");
    assert!(world.mm.findings().contains_key(&Violation::HeadLost));
}

#[test]
fn finds_a_lost_tail() {
    let world = World::new();
    world
        .page(0)
        .replace_tail(0, crate::sync::atomic::Ordering::Relaxed);
    assert_eq!(world.violations(), [Violation::TailLost]);
}

#[test]
fn finds_a_lost_tail_when_the_next_event_comes() {
    let world = World::new();
    world
        .page(0)
        .replace_tail(0, crate::sync::atomic::Ordering::Relaxed);
    world.context().io_submit().unwrap().complete(2);
    assert_eq!(world.mm.findings()[&Violation::TailLost], 1);
}

#[test]
fn finds_a_lost_id() {
    let world = World::new();
    world.page(0).set_id(NO_ID);
    let expected = Violation::IdLost {
        id: NO_ID,
        expected: 0,
    };
    assert_eq!(world.violations(), [expected]);
    assert!(world.mm.context(world.id).is_err(), "lookups fail");
}

#[test]
fn finds_a_context_that_uses_another_page_than_the_cache() {
    let world = World::new();
    let other = RingPage::new(1, &world.mm.witness);
    let context = Arc::clone(&world.context().context);
    context.ring_page(1).store(Some(other));
    let expected = [
        Violation::OtherPage { index: 1 },
        // It is in no ring.
        Violation::PagesAlive { pages: 1 },
    ];
    assert_eq!(world.violations(), expected);
}

#[test]
fn finds_user_space_with_another_page_than_the_cache() {
    let world = World::new();
    world.mm.area(world.id).unwrap().unmap();
    let expected = [0, 1].map(|index| Violation::OtherPte { index });
    assert_eq!(world.violations(), expected);
}

#[test]
fn finds_a_reference_that_was_not_put() {
    let world = World::new();
    world.page(1).get();
    let expected = Violation::References {
        index: 1,
        references: 3,
    };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_page_in_the_cache_without_a_mapping() {
    let world = World::new();
    world.page(1).set_mapping(false);
    assert_eq!(world.violations(), [Violation::NoMapping { index: 1 }]);
}

#[test]
fn finds_a_page_that_stays_in_the_cache_for_ever() {
    let world = World::new();
    world.page(1).set_mapping(false);
    assert_eq!(world.destroyed(), [Violation::PagesAlive { pages: 1 }]);
}

#[test]
fn finds_a_page_that_was_leaked() {
    let world = World::new();
    world.page(0).get();
    assert_eq!(world.destroyed(), [Violation::PagesAlive { pages: 1 }]);
}

#[test]
fn finds_a_page_that_is_put_twice() {
    let world = World::new();
    let page = world.page(0);
    page.put();
    page.put(); // that of the cache, that of the context
    page.put();
    assert_eq!(world.mm.findings()[&Violation::PagePutTwice], 1);
}

#[test]
fn finds_a_freed_page_that_is_read() {
    let world = World::new();
    let page = world.page(0);
    drop(world.destroyed());
    page.head();
    assert_eq!(world.violations(), [Violation::FreedPageTouched]);
}

#[test]
fn finds_a_freed_page_that_is_written() {
    let world = World::new();
    let page = world.page(0);
    drop(world.destroyed());
    page.set_event(1, 7);
    assert_eq!(world.violations(), [Violation::FreedPageTouched]);
}

#[test]
fn finds_a_freed_page_that_gets_a_reference() {
    let world = World::new();
    let page = world.page(0);
    drop(world.destroyed());
    page.get();
    assert_eq!(world.violations(), [Violation::FreedPageTouched]);
}

#[test]
fn finds_a_freed_context_that_is_used() {
    let world = World::new();
    let context = Arc::clone(&world.context().context);
    drop(world.destroyed());
    drop(context.ring_lock());
    // Before and after it slept.
    assert_eq!(world.mm.findings()[&Violation::FreedContextTouched], 2);
}

#[test]
fn finds_a_context_that_is_freed_twice() {
    let world = World::new();
    let context = Arc::clone(&world.context().context);
    drop(world.destroyed());
    context.get();
    context.put().unwrap().free_ioctx().unwrap();
    assert_eq!(world.mm.findings()[&Violation::ContextPutTwice], 1);
}

#[test]
fn finds_a_user_too_many() {
    let world = World::new();
    let _looked_up = world.context();
    assert_eq!(world.violations(), [Violation::Users { users: 2 }]);
}

#[test]
fn finds_a_context_that_nobody_can_free_any_more() {
    let world = World::new();
    core::mem::forget(world.context());
    let expected = [
        Violation::PagesAlive { pages: 2 },
        Violation::ContextsAlive { contexts: 1 },
        Violation::PrivateData {
            files: 1,
            contexts: 0,
        },
    ];
    assert_eq!(world.destroyed(), expected);
}

#[test]
fn finds_a_file_that_has_forgotten_its_context() {
    let world = World::new();
    let file = world.mm.area(world.id).unwrap();
    file.set_private_data(None);
    let expected = Violation::PrivateData {
        files: 0,
        contexts: 1,
    };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_file_that_knows_a_context_after_its_end() {
    let world = World::new();
    let context = Arc::clone(&world.context().context);
    drop(world.destroyed());
    let file = context.file().unwrap();
    file.set_private_data(Some(Arc::clone(&context)));
    let expected = Violation::PrivateData {
        files: 1,
        contexts: 0,
    };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_ring_area_without_a_context() {
    let world = World::new();
    let file = RingFile::new(0, &world.mm.witness);
    world.mm.mmap(&file).unwrap();
    assert_eq!(world.violations(), [Violation::AreasLeft { areas: 1 }]);
}

#[test]
fn finds_a_ring_page_that_is_gone() {
    let world = World::new();
    let context = Arc::clone(&world.context().context);
    context.ring_page(0).store(None);
    assert!(world.context().read_events(1, Buffer::Present).is_err());
    assert_eq!(world.mm.findings()[&Violation::NoPage], 1);
}

#[test]
fn finds_a_lock_that_is_still_held() {
    let world = World::new();
    let context = Arc::clone(&world.context().context);
    core::mem::forget(context.ring_lock().unwrap());
    let class = LockClass::RingLock;
    assert_eq!(world.violations(), [Violation::LockLeft { class }]);
}

#[test]
fn finds_locks_that_are_taken_in_a_circle() {
    let world = World::new();
    let lockdep = &world.mm.witness.lockdep;
    let [first, second, third] = [
        LockClass::PrivateLock,
        LockClass::CompletionLock,
        LockClass::IoctxLock,
    ];
    let locks = [first, second, third].map(|class| SpinLock::new(class, lockdep, ()));
    for (outer, inner) in [(0, 1), (1, 2), (2, 0)] {
        let _outer = locks[outer].lock();
        let _inner = locks[inner].lock();
    }
    let expected = Violation::LockCircle(vec![first, second, third]);
    assert_eq!(world.violations(), std::slice::from_ref(&expected));
    assert_eq!(
        expected.to_string(),
        "the lock order has a circle: private_lock -> completion_lock -> ioctx_lock -> private_lock"
    );
}

#[test]
fn finds_a_thread_that_waits_for_itself() {
    let world = World::new();
    let context = Arc::clone(&world.context().context);
    let held = context.ring_lock().unwrap();
    assert!(context.ring_lock().is_err());
    drop(held);
    assert_eq!(world.mm.findings()[&Violation::Deadlock], 1);
}

/// What a receiver of these events reports after so many were completed.
fn received(events: &[u64], completed: u64) -> Vec<Violation> {
    let mut receipts = Receipts::default();
    receipts.receive(events);
    receipts.check(completed).err().unwrap_or_default()
}

#[test]
fn finds_events_that_did_not_come() {
    assert_eq!(received(&[1, 2, 3], 3), []);
    assert_eq!(received(&[1, 3], 3), [Violation::EventLost]);
    assert_eq!(received(&[1, 2], 3), [Violation::EventLost]);
}

#[test]
fn finds_events_that_came_again() {
    assert_eq!(received(&[1, 1], 1), [Violation::EventDoubled]);
    assert_eq!(received(&[1, 2, 1, 3], 3), [Violation::EventDoubled]);
}

#[test]
fn finds_events_that_nobody_wrote() {
    assert_eq!(received(&[0, 1], 1), [Violation::EventUnwritten]);
}
