//! Writers of a cell take turns, and a thread that blocks for the end of one is woken.
//!
//! A thread that blocks for ever is a deadlock, which loom reports by itself.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::time::Instant;

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use seqschedlock::{Park, SeqSchedCell, Spin, Wait};

use crate::cell::Asking;
use crate::explore::{explore, explore_to, join, spawn};
use crate::strategies::{Doorbell, Queue};

type Cell = SeqSchedCell<[u32; 2], Park>;

/// Two writers that each add one. All that can go wrong between writers loses one of the two, or
/// leaves a mixture.
fn two_updates<W: Wait + Send + Sync + 'static>() {
    let cell = Arc::new(SeqSchedCell::<[u32; 2], W>::new([0; 2]));
    join([(); 2].map(|()| {
        spawn(&cell, |cell| {
            cell.update(|value| value.map(|part| part + 1));
        })
    }));
    assert_eq!(cell.try_load(), Ok([2; 2]), "an update is lost");
}

#[test]
pub fn no_update_is_lost() {
    explore(two_updates::<Spin>);
}

#[test]
pub fn no_update_is_lost_where_requests_are_expected() {
    explore(two_updates::<Asking>);
}

#[test]
pub fn no_update_is_lost_by_writers_that_block() {
    explore(two_updates::<Park>);
}

#[test]
pub fn a_store_and_an_update_take_turns() {
    explore(|| {
        let cell = Arc::new(SeqSchedCell::<[u32; 2], Spin>::new([0; 2]));
        let writer = spawn(&cell, |cell| cell.store([5; 2]));
        let updater = spawn(&cell, |cell| {
            cell.update(|value| value.map(|part| part + 1))
        });
        writer.join().unwrap();
        let before = updater.join().unwrap();
        let now = cell.try_load().unwrap();
        assert!(
            (before, now) == ([0; 2], [5; 2]) || (before, now) == ([5; 2], [6; 2]),
            "an update is lost: {before:?} became {now:?}"
        );
    });
}

#[test]
pub fn a_discarded_turn_wakes_the_next_writer() {
    explore(|| {
        let cell = Arc::new(Cell::new([0; 2]));
        let writer = spawn(&cell, |cell| cell.store([1; 2]));
        let idle = spawn(&cell, |cell| cell.lock().discard());
        join([writer, idle]);
        assert_eq!(cell.try_load(), Ok([1; 2]));
    });
}

#[test]
pub fn a_reader_that_blocks_is_woken_by_the_end_of_the_copy() {
    explore(|| {
        let cell = Arc::new(Cell::new([0; 2]));
        let reader = spawn(&cell, |cell| cell.load());
        let writer = spawn(&cell, |cell| cell.store([1; 2]));
        let [left, right] = reader.join().unwrap();
        assert_eq!(left, right, "a torn value");
        writer.join().unwrap();
    });
}

/// A value without bytes: what is explored is who waits for whom.
#[test]
pub fn a_reader_and_a_writer_that_block_are_both_woken() {
    explore_to(2, || {
        let cell: &'static SeqSchedCell<(), Park> = Box::leak(Box::default());
        let guard = cell.lock();
        let reader = thread::spawn(|| cell.load());
        let writer = thread::spawn(|| cell.lock().discard());
        drop(guard);
        join([reader, writer]);
    });
}

fn add(cell: &Cell) {
    cell.update(|value| value.map(|part| part + 1));
}

/// Both may be in line when the guard goes: the end of a turn wakes one, and that one's turn the other. Here
/// every wake-up hands the turn over if it still can.
#[test]
pub fn two_writers_in_line_both_get_their_turn() {
    explore_to(2, || {
        // Leaked, because a model that deadlocks cannot drop it.
        let cell: &'static Cell = Box::leak(Box::new(Cell::new([0; 2])));
        let guard = cell.lock();
        let writers = [(); 2].map(|()| thread::spawn(|| add(cell)));
        guard.discard();
        join(writers);
        assert_eq!(cell.try_load(), Ok([2; 2]), "an update is lost");
    });
}

/// A guard that is held before there are threads, and two writers behind it. The one in front awaits its turn
/// and gives up, before its wake-up or after it.
#[test]
pub fn a_writer_that_gives_up_in_line_takes_no_turn_from_the_one_behind_it() {
    explore(|| {
        let cell: &'static Cell = Box::leak(Box::new(Cell::new([0; 2])));
        let guard = cell.lock();
        let stays = thread::spawn(|| add(cell));
        let gives_up = thread::spawn(|| {
            let mut turn = pin!(cell.lock_async());
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..2 {
                if let Poll::Ready(guard) = turn.as_mut().poll(&mut context) {
                    return guard.discard();
                }
            }
        });
        guard.discard();
        join([stays, gives_up]);
        assert_eq!(cell.try_load(), Ok([1; 2]));
    });
}

/// Loom has no clock: every deadline has passed once it is waited for, or looked at for the second time.
#[test]
pub fn a_writer_whose_time_is_up_takes_no_turn_from_the_one_behind_it() {
    explore_to(2, || {
        let cell: &'static Cell = Box::leak(Box::new(Cell::new([0; 2])));
        let guard = cell.lock();
        let stays = thread::spawn(|| add(cell));
        let times_out = thread::spawn(|| {
            if let Some(guard) = cell.lock_deadline(Instant::now()) {
                guard.discard();
            }
        });
        guard.discard();
        join([stays, times_out]);
        assert_eq!(cell.try_load(), Ok([1; 2]));
    });
}

/// One in line, perhaps first; one that holds the turn and is in line for the next; and one that is faster than who was
/// woken, and knows of nobody in line.
#[test]
pub fn a_writer_whose_time_is_up_as_it_loses_passes_its_wake_up_on() {
    explore_to(2, || {
        let cell: &'static Cell = Box::leak(Box::new(Cell::new([0; 2])));
        let guard = cell.lock();
        let times_out = thread::spawn(|| {
            if let Some(guard) = cell.lock_deadline(Instant::now()) {
                guard.discard();
            }
        });
        let stays = thread::spawn(|| {
            let mut next = Box::pin(cell.lock_async());
            let entered = next.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(entered.is_pending());
            guard.discard();
            block_on(next).discard();
        });
        let is_faster = thread::spawn(|| {
            if let Some(guard) = cell.try_lock() {
                guard.discard();
            }
        });
        join([times_out, stays, is_faster]);
    });
}

#[test]
pub fn a_writer_that_awaits_its_turn_gets_it() {
    explore(|| {
        let cell = Arc::new(Cell::new([0; 2]));
        let awaits = spawn(&cell, |cell| {
            let mut guard = block_on(cell.lock_async());
            *guard = guard.map(|part| part + 1);
        });
        join([awaits, spawn(&cell, add)]);
        assert_eq!(cell.try_load(), Ok([2; 2]), "an update is lost");
    });
}

/// One that waits, on a thread that nobody joins meanwhile, against one that never does.
///
/// A standard `Arc`: a model that deadlocks unwinds, and loom's own cannot be dropped then.
fn ring<W: Wait + Send + Sync + 'static>(waits: fn(&SeqSchedCell<[u32; 2], W>)) {
    explore(move || {
        let cell = std::sync::Arc::new(SeqSchedCell::<[u32; 2], W>::new([0; 2]));
        // Before there are threads: the one that works never has to wait for its turn.
        let guard = cell.lock();
        let waiter = thread::spawn({
            let cell = cell.clone();
            move || waits(&cell)
        });
        drop(guard);
        waiter.join().unwrap();
    });
}

#[test]
pub fn a_waker_sees_what_the_next_writer_did_before_it_asked() {
    ring::<Doorbell>(|cell| cell.store([1; 2]));
}

#[test]
pub fn a_waker_sees_what_its_reader_did_before_it_asked() {
    ring::<Doorbell>(|cell| assert!(cell.load()[0] < 2));
}

#[test]
pub fn a_turn_wakes_a_queue_of_ones_own() {
    ring::<Queue>(|cell| cell.store([1; 2]));
}

#[test]
pub fn a_copy_wakes_a_queue_of_ones_own() {
    ring::<Queue>(|cell| assert!(cell.load()[0] < 2));
}
