//! Writers of a cell in line for their turn: which one is woken, which one is handed a turn, and what a writer
//! that gives up leaves behind.
#![cfg(all(not(loom), feature = "std", feature = "park", feature = "cell"))]

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Wake;
use std::thread;
use std::time::{Duration, Instant};

use seqschedlock::{Park, SeqSchedCell};

type Cell = SeqSchedCell<[u64; 2], Park>;

/// How often a writer comes too late for its turn before it is handed one.
const LOSSES: usize = 7;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

fn poll<F: Future>(future: Pin<&mut F>, woken: &Arc<Woken>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(woken))))
}

fn times<const N: usize>(woken: &[Arc<Woken>; N]) -> [usize; N] {
    woken.each_ref().map(|woken| woken.0.load(Relaxed))
}

#[test]
fn a_turn_that_is_free_is_ready_at_once() {
    let cell = Cell::new([1, 1]);
    let woken = Arc::default();
    let Poll::Ready(mut guard) = poll(pin!(cell.lock_async()), &woken) else {
        panic!("nobody else writes")
    };
    guard[0] = 2;
    drop(guard);
    assert_eq!(cell.load(), [2, 1]);
}

#[test]
fn the_end_of_a_turn_wakes_the_next_in_line_and_no_other() {
    let cell = Cell::new([1, 1]);
    let woken: [Arc<Woken>; 3] = Default::default();
    let mut futures = [(); 3].map(|()| Box::pin(cell.lock_async()));
    let guard = cell.lock();
    for (future, woken) in futures.iter_mut().zip(&woken) {
        assert!(poll(future.as_mut(), woken).is_pending());
    }
    drop(guard);
    assert_eq!(times(&woken), [1, 0, 0]);
    for (turn, future) in futures.iter_mut().enumerate() {
        let Poll::Ready(guard) = poll(future.as_mut(), &woken[turn]) else {
            panic!("the turn is free")
        };
        guard.discard();
        let expected = [0, 1, 2].map(|writer| usize::from(writer <= turn + 1));
        assert_eq!(times(&woken), expected);
    }
}

#[test]
fn a_writer_that_comes_too_late_several_times_is_handed_the_turn() {
    let cell = Cell::new([1, 1]);
    let woken = [Arc::default()];
    let mut waits = pin!(cell.lock_async());
    let mut guard = cell.lock();
    assert!(poll(waits.as_mut(), &woken[0]).is_pending());
    for lost in 1..=LOSSES {
        drop(guard);
        assert_eq!(times(&woken), [lost]);
        guard = cell.try_lock().expect("a writer may be faster");
        assert!(poll(waits.as_mut(), &woken[0]).is_pending());
    }
    drop(guard);
    assert_eq!(times(&woken), [LOSSES + 1]);
    assert!(
        cell.try_lock().is_none(),
        "the turn is the waiting writer's"
    );
    assert_eq!(cell.load(), [1, 1], "readers take no notice");
    assert!(poll(waits, &woken[0]).is_ready());
    assert!(cell.try_lock().is_some());
}

/// Two in line, of which each is woken while the other is still on its way, and a newcomer that is faster every time.
#[test]
fn a_writer_keeps_count_of_its_losses_while_others_are_woken() {
    let cell = Cell::new([1, 1]);
    let woken: [Arc<Woken>; 2] = Default::default();
    let [mut first, mut second] = [(); 2].map(|()| Box::pin(cell.lock_async()));
    let mut guard = cell.lock();
    assert!(poll(first.as_mut(), &woken[0]).is_pending());
    assert!(poll(second.as_mut(), &woken[1]).is_pending());
    for lost in 1..=LOSSES {
        drop(guard);
        guard = cell.try_lock().expect("a writer may be faster");
        // Somebody asks and gives up. So the end of this turn wakes the second.
        assert!(poll(pin!(cell.lock_async()), &Arc::default()).is_pending());
        drop(guard);
        guard = cell.try_lock().expect("a writer may be faster");
        assert!(poll(first.as_mut(), &woken[0]).is_pending());
        assert!(poll(second.as_mut(), &woken[1]).is_pending());
        assert_eq!(times(&woken), [lost; 2]);
    }
    drop(guard);
    assert!(cell.try_lock().is_none(), "the turn is the first one's");
    assert!(poll(first.as_mut(), &woken[0]).is_ready());
}

/// Two in line, of which the first has been handed the turn, or woken.
fn gives_up(handed: bool) {
    let cell = Cell::new([1, 1]);
    let woken: [Arc<Woken>; 2] = Default::default();
    let mut stays = pin!(cell.lock_async());
    {
        let mut gone = pin!(cell.lock_async());
        let mut guard = cell.lock();
        assert!(poll(gone.as_mut(), &woken[0]).is_pending());
        assert!(poll(stays.as_mut(), &woken[1]).is_pending());
        for _ in 0..if handed { LOSSES } else { 0 } {
            drop(guard);
            guard = cell.try_lock().expect("a writer may be faster");
            assert!(poll(gone.as_mut(), &woken[0]).is_pending());
        }
        drop(guard);
        assert_eq!(cell.try_lock().is_none(), handed);
        assert_eq!(times(&woken)[1], 0);
    }
    assert_eq!(times(&woken)[1], 1, "the wake-up has to go to the next");
    assert!(poll(stays, &woken[1]).is_ready());
    assert!(cell.try_lock().is_some());
}

#[test]
fn a_writer_that_gives_up_when_woken_passes_the_wake_up_on() {
    gives_up(false);
}

#[test]
fn a_writer_that_gives_up_a_turn_it_was_handed_ends_it() {
    gives_up(true);
}

#[test]
fn a_turn_that_is_handed_to_the_only_one_in_line_and_given_up_is_free() {
    let cell = Cell::new([1, 1]);
    let woken = Arc::default();
    {
        let mut gone = pin!(cell.lock_async());
        let mut guard = cell.lock();
        for _ in 0..LOSSES {
            assert!(poll(gone.as_mut(), &woken).is_pending());
            drop(guard);
            guard = cell.try_lock().expect("a writer may be faster");
        }
        assert!(poll(gone.as_mut(), &woken).is_pending());
        drop(guard);
        assert!(cell.try_lock().is_none());
    }
    assert!(cell.try_lock().is_some());
    assert_eq!(Arc::strong_count(&woken), 1, "a waker stayed in the queue");
}

#[test]
fn a_writer_that_gives_up_in_line_leaves_nothing_behind() {
    let cell = Cell::new([1, 1]);
    let woken: [Arc<Woken>; 1] = Default::default();
    let guard = cell.lock();
    assert!(poll(pin!(cell.lock_async()), &woken[0]).is_pending());
    assert_eq!(
        Arc::strong_count(&woken[0]),
        1,
        "a waker stayed in the queue"
    );
    drop(guard);
    assert_eq!(times(&woken), [0]);
}

#[test]
fn a_timeout_is_waited_out_in_full_and_a_zero_one_answers_at_once() {
    let cell = Cell::new([1, 1]);
    let guard = cell.lock();
    assert!(cell.lock_timeout(Duration::ZERO).is_none());
    assert!(cell.lock_deadline(Instant::now()).is_none());
    for timeout in [1, 20].map(Duration::from_millis) {
        let start = Instant::now();
        assert!(cell.lock_timeout(timeout).is_none());
        assert!(start.elapsed() >= timeout);
    }
    drop(guard);
    assert!(cell.lock_timeout(Duration::ZERO).is_some());
    assert!(cell.lock_timeout(Duration::MAX).is_some());
    assert!(
        cell.lock_deadline(Instant::now()).is_some(),
        "late, but it need not wait"
    );
}

#[test]
fn a_writer_in_time_gets_its_turn() {
    let cell = Cell::new([0, 0]);
    let guard = cell.lock();
    thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                let timeout = Duration::from_secs(600);
                let mut guard = cell
                    .lock_timeout(timeout)
                    .expect("woken long before its time is up");
                *guard = guard.map(|part| part + 1);
            });
        }
        guard.discard();
    });
    assert_eq!(cell.load(), [4, 4]);
}

/// Blocking, awaiting and impatient writers in one line, each of which adds one if it gets through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_left_in_line() {
    const ROUNDS: u64 = if cfg!(miri) { 8 } else { 200 };
    let cell: &'static Cell = Box::leak(Box::new(Cell::new([0, 0])));
    let add = |mut guard: seqschedlock::SeqSchedCellGuard<'_, [u64; 2], Park>| {
        *guard = guard.map(|part| part + 1);
    };
    let blocking = thread::spawn(move || (0..ROUNDS).for_each(|_| add(cell.lock())));
    let impatient = thread::spawn(move || {
        let got = (0..ROUNDS).filter_map(|_| cell.lock_timeout(Duration::from_micros(20)));
        got.map(add).count() as u64
    });
    let awaiting = [(); 4].map(|()| {
        tokio::spawn(async move {
            for round in 0..ROUNDS {
                let guard = cell.lock_async().await;
                if round % 16 == 0 {
                    tokio::task::yield_now().await;
                }
                add(guard);
            }
        })
    });
    let giving_up = tokio::spawn(async move {
        let mut got = 0;
        for round in 0..ROUNDS {
            let patience = Duration::from_micros(round % 4 * 10);
            if let Ok(guard) = tokio::time::timeout(patience, cell.lock_async()).await {
                add(guard);
                got += 1;
            }
        }
        got
    });
    for task in awaiting {
        task.await.unwrap();
    }
    let sometimes = giving_up.await.unwrap() + impatient.join().unwrap();
    blocking.join().unwrap();
    assert_eq!(cell.load(), [5 * ROUNDS + sometimes; 2]);
}

/// Wakers that panic where none should.
mod wakers {
    use core::cell::Cell as Counter;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::ptr::null;
    use std::task::{RawWaker, RawWakerVTable};

    use super::*;

    thread_local! {
        /// Clones and drops that go well before one panics.
        static CLONES: Counter<u32> = const { Counter::new(u32::MAX) };
        static DROPS: Counter<u32> = const { Counter::new(u32::MAX) };
    }

    fn count_down(left: &Counter<u32>) {
        left.set(left.get().wrapping_sub(1));
        assert_ne!(left.get(), u32::MAX, "as a waker must not");
    }

    fn table() -> &'static RawWakerVTable {
        static TABLE: RawWakerVTable = RawWakerVTable::new(
            |_| {
                CLONES.with(count_down);
                RawWaker::new(null(), table())
            },
            |_| panic!("as a waker must not"),
            |_| panic!("as a waker must not"),
            |_| DROPS.with(count_down),
        );
        &TABLE
    }

    fn panics() -> Waker {
        // SAFETY: there is no data, so the functions may be called in any way.
        unsafe { Waker::from_raw(RawWaker::new(null(), table())) }
    }

    fn panicked<R>(call: impl FnOnce() -> R) -> bool {
        catch_unwind(AssertUnwindSafe(|| drop(call()))).is_err()
    }

    #[test]
    fn a_clone_that_panics_loses_no_wake_up() {
        let cell = Cell::new([1, 1]);
        let woken: [Arc<Woken>; 1] = Default::default();
        let waker = panics();
        let mut context = Context::from_waker(&waker);
        let mut guard = cell.lock();
        let mut behind = pin!(cell.lock_async());
        {
            let mut gone = pin!(cell.lock_async());
            assert!(gone.as_mut().poll(&mut context).is_pending());
            assert!(poll(behind.as_mut(), &woken[0]).is_pending());
            // `wake` of this waker panics, and so it is the writer that leaves that hears of it.
            assert!(panicked(|| drop(guard)));
            guard = cell.try_lock().expect("a writer may be faster");
            // One as it looks, and the one that panics as it enters the line again.
            CLONES.set(1);
            assert!(panicked(|| gone.as_mut().poll(&mut context).is_ready()));
            CLONES.set(u32::MAX);
        }
        assert_eq!(times(&woken), [1]);
        drop(guard);
        assert!(poll(behind, &woken[0]).is_ready());
    }

    #[test]
    fn a_drop_that_panics_loses_no_turn() {
        let cell = Cell::new([1, 1]);
        let waker = panics();
        let mut context = Context::from_waker(&waker);
        {
            let mut gone = pin!(cell.lock_async());
            let mut guard = cell.lock();
            for _ in 0..LOSSES {
                assert!(gone.as_mut().poll(&mut context).is_pending());
                assert!(panicked(|| drop(guard)));
                guard = cell.try_lock().expect("a writer may be faster");
            }
            assert!(gone.as_mut().poll(&mut context).is_pending());
            assert!(panicked(|| drop(guard)));
            assert!(cell.try_lock().is_none(), "the turn has been handed over");
            DROPS.set(0);
            assert!(panicked(|| gone.as_mut().poll(&mut context).is_ready()));
            DROPS.set(u32::MAX);
        }
        assert!(cell.try_lock().is_some(), "the turn is nobody's");
    }

    /// A second panic would end the process.
    #[test]
    fn a_wake_up_that_is_passed_on_while_a_panic_unwinds_may_panic() {
        let cell = Cell::new([1, 1]);
        let waker = panics();
        let mut behind = pin!(cell.lock_async());
        let mut gone = Box::pin(cell.lock_async());
        let guard = cell.lock();
        assert!(poll(gone.as_mut(), &Arc::default()).is_pending());
        let mut context = Context::from_waker(&waker);
        assert!(behind.as_mut().poll(&mut context).is_pending());
        drop(guard);
        assert!(panicked(|| {
            let _dropped_by_the_panic = gone;
            panic!("the caller's own");
        }));
        assert!(behind.as_mut().poll(&mut context).is_ready());
    }
}
