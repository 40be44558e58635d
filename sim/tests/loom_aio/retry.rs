//! The versions of the retry, and their twins.

use std::sync::Arc;

use loom::thread::{JoinHandle, spawn};
use seqschedlock_sim::aio::retry::{
    Kioctx, Looks, RetryMethod, RunnerLook, Version, Violation, WaitQueue,
};

use crate::collect::{self, finds, holds};

type Outcome = collect::Outcome<Violation>;

/// A context, and what its one request waits for.
struct World {
    context: Arc<Kioctx>,
    queues: Vec<Arc<WaitQueue>>,
    looks: Looks,
}

impl World {
    fn new(version: Version, looks: Looks, waits: usize) -> Self {
        let context = Kioctx::new(version);
        let queues = (0..waits).map(|_| context.wait_queue()).collect();
        Self {
            context,
            queues,
            looks,
        }
    }

    fn method(&self) -> RetryMethod {
        RetryMethod::new(self.looks, &self.queues)
    }

    /// Submits the request and runs it for as long as it is on the run list.
    fn submit(&self) -> JoinHandle<()> {
        let (context, method) = (Arc::clone(&self.context), self.method());
        spawn(move || drop(context.io_submit(method)))
    }

    /// Wakes each queue once, in order.
    fn wake(&self) -> JoinHandle<()> {
        let queues = self.queues.clone();
        spawn(move || queues.iter().for_each(|queue| queue.wake_up()))
    }

    fn work(&self) -> JoinHandle<()> {
        let context = Arc::clone(&self.context);
        spawn(move || context.work())
    }

    /// Runs what is left on the run list. Then everything is at rest.
    fn at_the_end(&self) -> Outcome {
        self.context.work();
        self.context.check()
    }
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}

fn submit_and_wake(version: Version, looks: Looks, waits: usize) -> Outcome {
    let world = World::new(version, looks, waits);
    join([world.submit(), world.wake()]);
    world.at_the_end()
}

fn one_look(version: Version) -> Outcome {
    submit_and_wake(version, Looks::Once, 1)
}

fn one_look_each(version: Version) -> Outcome {
    submit_and_wake(version, Looks::Once, 2)
}

fn two_looks(version: Version) -> Outcome {
    submit_and_wake(version, Looks::Twice, 1)
}

fn two_looks_each(version: Version) -> Outcome {
    submit_and_wake(version, Looks::Twice, 2)
}

/// What went wrong besides retries for nothing.
fn harm(outcome: Outcome) -> Outcome {
    let mut wrong = outcome.err().unwrap_or_default();
    wrong.retain(|violation| *violation != Violation::SpuriousRetry);
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong),
    }
}

fn harmless_two_looks(version: Version) -> Outcome {
    harm(two_looks(version))
}

fn harmless_two_looks_each(version: Version) -> Outcome {
    harm(two_looks_each(version))
}

fn submit_wake_and_work(version: Version) -> Outcome {
    let world = World::new(version, Looks::Once, 1);
    join([world.submit(), world.wake(), world.work()]);
    world.at_the_end()
}

/// The worker completes the request and frees the context, while the waker is still there.
fn wake_and_destroy(version: Version) -> Outcome {
    let world = World::new(version, Looks::Once, 1);
    let _waiting = world.context.io_submit(world.method());
    let destroying = {
        let context = Arc::clone(&world.context);
        spawn(move || {
            context.work();
            context.io_destroy().is_ok()
        })
    };
    world.wake().join().unwrap();
    match destroying.join().unwrap() {
        true => world.context.check(),
        false => world.at_the_end(),
    }
}

/// The task runs its request itself. The request is on its stack.
fn submit_sync_and_wake(version: Version, waits: usize) -> Outcome {
    let world = World::new(version, Looks::Once, waits);
    let reading = {
        let (context, method) = (Arc::clone(&world.context), world.method());
        spawn(move || assert_eq!(context.do_sync(method), 0))
    };
    join([reading, world.wake()]);
    world.context.check()
}

fn sync_wait(version: Version) -> Outcome {
    submit_sync_and_wake(version, 1)
}

fn sync_waits(version: Version) -> Outcome {
    submit_sync_and_wake(version, 2)
}

const LOOK_OUTSIDE: Version = Version {
    look: RunnerLook::Outside,
    ..Version::SUZUKI
};
const KICKED_NOT_ASKED: Version = Version {
    asks_kicked: false,
    ..Version::SUZUKI
};
const NOT_SHUT_OUT: Version = Version {
    shut_out: false,
    ..Version::SUZUKI
};
const TASK_READ_FIRST: Version = Version {
    reads_task_first: true,
    ..Version::SUZUKI
};
const WORK_STARTED_INSIDE: Version = Version {
    starts_work_inside: true,
    ..Version::SUZUKI
};

// 2005: the waker deletes the wait; the run sees none, kicks the iocb itself and queues it; the next run
// completes it and frees it; the waker goes on with it.
//
// Only the deletion: the waker kicks; the run sees that and queues the iocb; its next run begins while the
// wait is still queued.
finds! { one_look:
    y2005_touches_a_freed_iocb: Version::Y2005 => "a freed iocb is touched";
    only_the_kick_touches_a_freed_iocb: Version::ONLY_KICK => "a freed iocb is touched";
    only_the_deletion_retries_too_early: Version::ONLY_DELETION
        => "a retry begins while a wait is queued";
}
holds! { one_look:
    suzuki_holds: Version::SUZUKI;
    v2_6_14_holds: Version::V2_6_14;
    suzuki_holds_with_the_look_outside: LOOK_OUTSIDE;
}

// 2005: as above, but the next run waits for something else; the waker finds the iocb waiting, and queues it
// nevertheless.
finds! { one_look_each:
    y2005_touches_a_freed_iocb_after_two_waits: Version::Y2005 => "a freed iocb is touched";
    y2005_kicks_an_iocb_that_waits: Version::Y2005
        => "an iocb is kicked while a wait of it is queued";
    y2005_retries_an_iocb_that_waits: Version::Y2005 => "a retry begins while a wait is queued";
    only_the_kick_kicks_an_iocb_that_waits: Version::ONLY_KICK
        => "an iocb is kicked while a wait of it is queued";
    only_the_kick_touches_a_freed_iocb_after_two_waits: Version::ONLY_KICK
        => "a freed iocb is touched";
    only_the_deletion_retries_an_iocb_that_waits: Version::ONLY_DELETION
        => "a retry begins while a wait is queued";
}
holds! { one_look_each:
    suzuki_holds_for_two_waits: Version::SUZUKI;
    suzuki_holds_in_every_interleaving: Version::SUZUKI, None;
    v2_6_14_holds_for_two_waits: Version::V2_6_14;
    suzuki_holds_for_two_waits_with_the_look_outside: LOOK_OUTSIDE;
}

// 2.6.14: the method queues its wait; the waker deletes it; the method looks again, finds the condition true
// and nothing to delete, completes and frees the iocb; the waker goes on with it.
finds! { two_looks:
    y2005_touches_a_freed_iocb_that_looks_twice: Version::Y2005 => "a freed iocb is touched";
    only_the_kick_touches_a_freed_iocb_that_looks_twice: Version::ONLY_KICK
        => "a freed iocb is touched";
    only_the_deletion_retries_for_nothing: Version::ONLY_DELETION => "a retry begins for nothing";
    v2_6_14_touches_a_freed_iocb: Version::V2_6_14 => "a freed iocb is touched";
}
holds! { two_looks:
    suzuki_holds_for_two_looks: Version::SUZUKI;
}

// Half of the fix is enough here: a method that looks twice takes the lock of the queue first, and so waits
// for the waker. Only the retry for nothing is left.
holds! { harmless_two_looks:
    only_the_deletion_does_no_harm: Version::ONLY_DELETION;
}
holds! { harmless_two_looks_each:
    only_the_deletion_does_no_harm_in_two_waits: Version::ONLY_DELETION;
    suzuki_does_no_harm_in_two_waits: Version::SUZUKI;
}

// Suzuki: when the kick of the first wait comes, the method has seen the condition by itself and has gone on
// to the second wait.
finds! { two_looks_each:
    y2005_kicks_an_iocb_that_waits_and_looks_twice: Version::Y2005
        => "an iocb is kicked while a wait of it is queued";
    only_the_kick_kicks_an_iocb_that_waits_and_looks_twice: Version::ONLY_KICK
        => "an iocb is kicked while a wait of it is queued";
    suzuki_retries_for_nothing: Version::SUZUKI => "a retry begins for nothing";
    v2_6_14_retries_for_nothing: Version::V2_6_14 => "a retry begins for nothing";
    v2_6_14_kicks_an_iocb_that_waits: Version::V2_6_14
        => "an iocb is kicked while a wait of it is queued";
    v2_6_14_touches_a_freed_iocb_after_two_waits: Version::V2_6_14
        => "a freed iocb is touched", Some(4);
}

finds! { submit_wake_and_work:
    y2005_touches_a_freed_iocb_beside_a_worker: Version::Y2005 => "a freed iocb is touched";
    an_iocb_that_is_not_shut_out_runs_twice: NOT_SHUT_OUT => "two retries run at a time";
    an_iocb_that_is_not_shut_out_completes_twice: NOT_SHUT_OUT => "an iocb completes twice";
}
holds! { submit_wake_and_work:
    suzuki_holds_beside_a_worker: Version::SUZUKI;
}

finds! { one_look:
    a_kick_that_nobody_asks_for_is_lost: KICKED_NOT_ASKED => "a wake-up is lost";
}

// The section ends; the worker completes the iocb, and the context is freed; the waker starts work there.
finds! { wake_and_destroy:
    suzuki_starts_work_in_a_freed_context: Version::SUZUKI => "a freed context is touched";
    v2_6_14_starts_work_in_a_freed_context: Version::V2_6_14 => "a freed context is touched";
}
holds! { wake_and_destroy:
    work_started_inside_holds: WORK_STARTED_INSIDE;
}

// The waker sets KICKED; the task sees that, completes its request and returns; the waker reads from it
// which task to wake.
finds! { sync_wait:
    a_synchronous_iocb_is_touched_after_it_returned: Version::SUZUKI
        => "a freed iocb is touched";
}
holds! { sync_wait:
    a_synchronous_iocb_is_left_alone_once_the_task_is_known: TASK_READ_FIRST;
}

// A task that has slept leaves KICKED set. Its next wait finds the flag and goes on at once.
finds! { sync_waits:
    a_synchronous_iocb_goes_on_too_early_after_the_first_wait: TASK_READ_FIRST
        => "a retry begins while a wait is queued";
}
