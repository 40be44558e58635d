//! Each invariant is broken on purpose, and the checker has to find that.

use std::sync::Arc;

use crate::aio::lockdep::LockClass;
use crate::aio::retry::iocb::Entry;
use crate::aio::retry::kick::check_not_waiting;
use crate::aio::retry::{Kiocb, Kioctx, Looks, RetryMethod, Version, Violation, WaitQueue};

/// A request that waits.
struct World {
    context: Arc<Kioctx>,
    queue: Arc<WaitQueue>,
    iocb: Arc<Kiocb>,
}

impl World {
    fn new() -> Self {
        Self::with(Looks::Once)
    }

    fn with(looks: Looks) -> Self {
        let context = Kioctx::new(Version::SUZUKI);
        let queue = context.wait_queue();
        let method = RetryMethod::new(looks, &[Arc::clone(&queue)]);
        let iocb = context.io_submit(method);
        let world = Self {
            context,
            queue,
            iocb,
        };
        assert_eq!(world.violations(), [], "before anything is broken");
        world
    }

    /// The request ends as it should.
    fn end(&self) {
        self.queue.wake_up();
        self.context.work();
        assert_eq!(self.violations(), [], "before anything is broken");
    }

    /// The request goes to the run list, whatever it waits for.
    fn queue(&self) {
        assert!(self.iocb.queue(&mut self.context.lock()));
    }

    fn violations(&self) -> Vec<Violation> {
        self.context.check().err().unwrap_or_default()
    }
}

#[test]
fn finds_a_freed_iocb_that_is_kicked() {
    let world = World::new();
    world.end();
    world.iocb.set_kicked(true);
    assert_eq!(world.violations(), [Violation::FreedIocbTouched]);
}

#[test]
fn finds_a_freed_iocb_in_a_queue() {
    let world = World::new();
    world.end();
    world.iocb.link(&mut world.queue.lock());
    world.queue.wake_up();
    assert!(world.violations().contains(&Violation::FreedIocbTouched));
}

#[test]
fn finds_a_freed_context_that_is_used() {
    let world = World::new();
    world.end();
    world.context.io_destroy().unwrap();
    world.context.start_work();
    assert_eq!(world.violations(), [Violation::FreedContextTouched]);
}

#[test]
fn finds_a_retry_that_begins_too_early() {
    let world = World::new();
    world.queue();
    world.context.work();
    assert!(world.violations().contains(&Violation::RetryWhileWaiting));
}

#[test]
fn finds_a_retry_for_nothing() {
    let world = World::with(Looks::Twice);
    world.queue();
    world.context.work();
    assert_eq!(world.violations(), [Violation::SpuriousRetry]);
    world.queue.wake_up();
    world.context.work();
    assert!(world.iocb.is_completed(), "it did no harm");
}

#[test]
fn finds_an_iocb_that_completes_while_it_waits() {
    let world = World::new();
    world.queue();
    world.context.work();
    let found = world.violations();
    assert!(found.contains(&Violation::CompletedWhileWaiting));
}

#[test]
fn finds_an_iocb_that_is_kicked_while_it_waits() {
    let world = World::new();
    check_not_waiting(&world.iocb);
    assert_eq!(world.violations(), [Violation::KickedWhileWaiting]);
}

#[test]
fn finds_two_retries_at_a_time() {
    let world = World::new();
    world.iocb.begin_retry();
    world.iocb.begin_retry();
    assert_eq!(world.violations(), [Violation::TwoRetries]);
}

#[test]
fn finds_an_iocb_that_is_on_the_run_list_twice() {
    let world = World::new();
    world.queue();
    world.iocb.set_entry(Entry::Idle, &world.context.lock());
    world.queue();
    world.context.start_work();
    assert_eq!(world.violations(), [Violation::QueuedTwice]);
}

#[test]
fn finds_an_iocb_that_completes_twice() {
    let world = World::new();
    world.end();
    world.iocb.complete_elsewhere(0);
    let found = world.violations();
    assert!(found.contains(&Violation::CompletedTwice));
}

#[test]
fn finds_a_wake_up_that_was_lost() {
    let world = World::new();
    // Somebody takes the wait away, and then nobody is there to be woken.
    world.iocb.unlink(&mut world.queue.lock());
    world.queue.wake_up();
    world.context.work();
    let expected = Violation::WakeupLost { iocb: 1 };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_a_reference_that_was_not_put() {
    let world = World::new();
    world.iocb.get(&world.context.lock());
    world.queue.wake_up();
    world.context.work();
    let expected = Violation::Users { iocb: 1, users: 1 };
    assert_eq!(world.violations(), [expected]);
}

#[test]
fn finds_an_iocb_on_the_run_list_without_work() {
    let world = World::new();
    world.queue();
    assert_eq!(world.violations(), [Violation::QueuedWithoutWork]);
}

#[test]
fn finds_an_iocb_that_its_context_does_not_know() {
    let world = World::new();
    world.context.lock().active.clear();
    assert_eq!(world.violations(), [Violation::IocbsAlive { iocbs: 1 }]);
}

#[test]
fn finds_locks_that_are_taken_in_a_circle() {
    let world = World::new();
    let held = world.context.lock();
    drop(world.queue.lock());
    drop(held);
    world.queue.wake_up(); // takes ctx_lock with the queue locked, as it should
    world.context.work();
    let circle = vec![LockClass::QueueLock, LockClass::CtxLock];
    assert_eq!(world.violations(), [Violation::LockCircle(circle)]);
}

#[test]
fn finds_a_lock_that_is_still_held() {
    let world = World::new();
    core::mem::forget(world.queue.lock());
    let class = LockClass::QueueLock;
    // The checker itself takes that lock for an iocb that has not ended.
    world.context.lock().active.clear();
    let found = world.violations();
    assert!(found.contains(&Violation::LockLeft { class }), "{found:?}");
}
