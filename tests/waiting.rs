//! How readers wait, with every strategy.
#![cfg(all(not(loom), feature = "std"))]

#[path = "support/patience.rs"]
mod patience;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use patience::wait_until;
use seqschedlock::{RawSeqSchedLock, Spin, Wait, Writers, Yield};

/// Several readers blocked during one section: none returns before its end, all return after it.
fn readers_return_at_the_end_of_the_section<W: Wait + Sync>() {
    let lock = RawSeqSchedLock::<W>::new();
    let (arrived, returned) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let section = lock.write();
    thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                arrived.fetch_add(1, Relaxed);
                let stamp = lock.read_begin_wait();
                returned.fetch_add(1, Relaxed);
                assert_eq!(lock.read_end(stamp), Ok(()));
            });
        }
        wait_until("four readers have arrived", || arrived.load(Relaxed) == 4);
        for _ in 0..1000 {
            thread::yield_now(); // let them go on into the wait
        }
        assert_eq!(returned.load(Relaxed), 0);
        drop(section);
    });
    assert_eq!(returned.into_inner(), 4);
}

/// A reader is let in only when every section has ended, in whatever order they end.
fn reader_waits_for_every_overlapping_writer<W: Wait + Sync>() {
    let lock = RawSeqSchedLock::<W>::new();
    let open = AtomicUsize::new(3);
    let sections = [lock.write(), lock.write(), lock.write()];
    thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let _ = lock.read_begin_wait();
            assert_eq!(open.load(Relaxed), 0, "let in beside a writer");
        });
        for section in sections {
            for _ in 0..100 {
                thread::yield_now();
            }
            open.fetch_sub(1, Relaxed);
            drop(section);
        }
        reader.join().unwrap();
    });
}

/// Sections come and go while readers wait again and again: every wake-up arrives.
fn no_wake_up_is_lost<W: Wait + Sync>() {
    const ROUNDS: usize = if cfg!(miri) { 50 } else { 3_000 };
    let lock = RawSeqSchedLock::<W>::new();
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                for round in 0..ROUNDS {
                    let section = lock.write();
                    if round % 64 == 0 {
                        thread::yield_now();
                    }
                    if round % 3 == 0 {
                        section.cancel()
                    } else {
                        drop(section)
                    }
                }
            });
            threads.spawn(|| {
                for _ in 0..ROUNDS {
                    let _ = lock.read_begin_wait();
                }
            });
        }
    });
    assert_eq!(lock.writers(), 0);
}

/// A queue of the test's own, by the three steps of [`Wait`]: register, ask, block.
struct Queue {
    asked: AtomicUsize,
    wakes: Mutex<usize>,
    woken: Condvar,
}

impl Wait for Queue {
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "every lock gets a copy of its own"
    )]
    const INIT: Self = Queue {
        asked: AtomicUsize::new(0),
        wakes: Mutex::new(0),
        woken: Condvar::new(),
    };

    fn wait(&self, writers: &Writers<'_>) {
        let mut wakes = self.wakes.lock().unwrap();
        let seen = *wakes;
        if writers.request_wake() {
            self.asked.fetch_add(1, Relaxed);
            while *wakes == seen {
                wakes = self.woken.wait(wakes).unwrap();
            }
        }
    }

    fn wake(&self) {
        *self.wakes.lock().unwrap() += 1;
        self.woken.notify_all();
    }
}

macro_rules! for_each_strategy {
    ($($name:ident: $W:ty;)*) => {$(
        mod $name {
            #[allow(unused_imports, reason = "one of the types is named by its path")]
            use super::*;

            #[test]
            fn readers_return_at_the_end_of_the_section() {
                super::readers_return_at_the_end_of_the_section::<$W>();
            }

            #[test]
            fn reader_waits_for_every_overlapping_writer() {
                super::reader_waits_for_every_overlapping_writer::<$W>();
            }

            #[test]
            fn no_wake_up_is_lost() {
                super::no_wake_up_is_lost::<$W>();
            }
        }
    )*};
}

for_each_strategy! {
    spin: Spin;
    yield_now: Yield;
    queue_of_ones_own: Queue;
}

#[cfg(feature = "park")]
for_each_strategy! {
    park: seqschedlock::Park;
}

/// What a strategy can tell about the writers.
#[test]
fn debug_tells_how_many_writers_are_waited_for() {
    struct Told(Mutex<Vec<String>>);
    impl Wait for Told {
        #[allow(
            clippy::declare_interior_mutable_const,
            reason = "every lock gets a copy of its own"
        )]
        const INIT: Self = Told(Mutex::new(Vec::new()));

        fn wait(&self, writers: &Writers<'_>) {
            self.0.lock().unwrap().push(format!("{writers:?}"));
            while writers.running() {
                thread::yield_now();
            }
        }
    }
    let lock = RawSeqSchedLock::<Told>::with_wait(Told(Mutex::new(vec!["carried".into()])));
    thread::scope(|threads| {
        let sections = [lock.write(), lock.write()];
        let reader = threads.spawn(|| lock.read_begin_wait());
        let told = || lock.wait_strategy().0.lock().unwrap().len();
        wait_until("the reader waits", || told() == 2);
        drop(sections);
        let _ = reader.join().unwrap();
    });
    let told = lock.wait_strategy().0.lock().unwrap();
    assert_eq!(told[..2], ["carried", "Writers(2)"]);
}

#[test]
fn abandoned_sections_are_ended_and_readers_woken() {
    let lock = Arc::new(RawSeqSchedLock::<Queue>::new());
    let stamp = lock.read_begin().unwrap();
    for _ in 0..3 {
        std::mem::forget(lock.write());
    }
    let reader = thread::spawn({
        let lock = Arc::clone(&lock);
        move || lock.read_begin_wait()
    });
    wait_until("the reader has asked", || {
        lock.wait_strategy().asked.load(Relaxed) != 0
    });
    assert_eq!(lock.end_abandoned(), 3);
    assert_eq!(lock.read_end(stamp), Err(seqschedlock::Conflict::Race));
    assert_eq!(lock.read_end(reader.join().unwrap()), Ok(()));
    assert_eq!(lock.end_abandoned(), 0);
}

/// As two processes do that both saw a third one die.
#[test]
fn two_that_end_what_was_abandoned_end_it_once() {
    const ROUNDS: usize = if cfg!(miri) { 5 } else { 5000 };
    for round in 0..ROUNDS {
        let lock = RawSeqSchedLock::<Spin>::new();
        std::mem::forget(lock.write());
        let both = std::sync::Barrier::new(2);
        let ended = thread::scope(|threads| {
            let survivors = [(); 2].map(|()| {
                threads.spawn(|| {
                    both.wait();
                    lock.end_abandoned()
                })
            });
            survivors.map(|survivor| survivor.join().unwrap())
        });
        assert_eq!(ended.iter().sum::<usize>(), 1, "round {round}");
        assert_eq!(lock.writers(), 0);
    }
}

#[test]
fn a_writer_wakes_only_if_a_reader_asked() {
    let lock = Arc::new(RawSeqSchedLock::<Queue>::new());
    for _ in 0..100 {
        drop(lock.write());
        lock.write().cancel();
    }
    assert_eq!(*lock.wait_strategy().wakes.lock().unwrap(), 0);

    let section = lock.write();
    let reader = thread::spawn({
        let lock = Arc::clone(&lock);
        move || lock.read_begin_wait()
    });
    wait_until("the reader has asked", || {
        lock.wait_strategy().asked.load(Relaxed) != 0
    });
    drop(section);
    assert_eq!(lock.read_end(reader.join().unwrap()), Ok(()));
    assert_eq!(*lock.wait_strategy().wakes.lock().unwrap(), 1);
}
