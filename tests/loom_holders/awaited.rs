//! `Park`, awaited: no wake-up is lost, not even when another reader gives up.
//!
//! A reader that waits for ever is a deadlock, which loom reports by itself.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Waker};

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread::{self, JoinHandle};
use seqschedlock::{Park, RawSeqSchedLock};

use crate::explore::{explore, join, spawn};

type Lock = RawSeqSchedLock<Park>;

fn writer(lock: &Arc<Lock>) -> JoinHandle<()> {
    spawn(lock, |lock| drop(lock.write()))
}

/// Awaits until it gets through.
fn stays(lock: &Arc<Lock>) -> JoinHandle<()> {
    spawn(lock, |lock| {
        let _ = block_on(lock.read_begin_async());
    })
}

/// Awaits a little, then gives up.
fn gives_up(lock: &Arc<Lock>, polls: usize) -> JoinHandle<()> {
    spawn(lock, move |lock| {
        let mut context = Context::from_waker(Waker::noop());
        let mut reader = pin!(lock.read_begin_async());
        let _ = (0..polls).any(|_| reader.as_mut().poll(&mut context).is_ready());
    })
}

#[test]
pub fn one_writer_wakes_one_reader() {
    explore(|| {
        let lock = Arc::new(Lock::new());
        join([stays(&lock), writer(&lock)]);
    });
}

#[test]
pub fn two_writers_wake_one_reader() {
    explore(|| {
        let lock = Arc::new(Lock::new());
        join([stays(&lock), writer(&lock), writer(&lock)]);
    });
}

#[test]
pub fn a_reader_that_gives_up_takes_no_wake_up_from_one_that_stays() {
    explore(|| {
        let lock = Arc::new(Lock::new());
        join([stays(&lock), gives_up(&lock, 1), writer(&lock)]);
    });
}

#[test]
pub fn a_reader_that_gives_up_when_woken_takes_no_wake_up_either() {
    explore(|| {
        let lock = Arc::new(Lock::new());
        join([stays(&lock), gives_up(&lock, 2), writer(&lock)]);
    });
}

#[test]
pub fn a_request_that_was_left_behind_harms_nobody() {
    explore(|| {
        let lock = Arc::new(Lock::new());
        let section = lock.write();
        let impatient = gives_up(&lock, 1);
        drop(section);
        let stamp = lock.read_begin().unwrap();
        impatient.join().unwrap();
        assert_eq!(lock.read_end(stamp), Ok(()), "a request disturbed a reader");
        join([stays(&lock), writer(&lock)]);
    });
}

#[test]
pub fn an_awaited_reader_sees_what_the_section_wrote() {
    explore(|| {
        let lock = Arc::new(Lock::new());
        let pair: Arc<[AtomicUsize; 2]> = Arc::default();
        let writer = thread::spawn({
            let (lock, pair) = (lock.clone(), pair.clone());
            move || {
                let _section = lock.write();
                pair[0].store(1, Relaxed);
                pair[1].store(1, Relaxed);
            }
        });
        let reader = thread::spawn(move || {
            let look = async || [pair[0].load(Relaxed), pair[1].load(Relaxed)];
            let [left, right] = block_on(lock.read_async(look));
            assert_eq!(left, right, "a torn look was validated");
        });
        join([reader, writer]);
    });
}

#[test]
pub fn an_awaited_publication_is_seen_or_taken_back() {
    explore(|| {
        let lock = Arc::new(Lock::new());
        // A source, and a cache of what was found there: 0 if empty, else 1 + the source's version.
        let [source, entry]: [Arc<AtomicUsize>; 2] = Default::default();
        let writer = thread::spawn({
            let (lock, source, entry) = (lock.clone(), source.clone(), entry.clone());
            move || {
                let _section = lock.write();
                source.store(1, Relaxed);
                if entry.load(Relaxed) != 0 {
                    entry.store(0, Relaxed);
                }
            }
        });
        let filler = thread::spawn({
            let (source, entry) = (source.clone(), entry.clone());
            move || {
                let attempt = async || {
                    let found = 1 + source.load(Relaxed);
                    entry.store(found, Relaxed);
                    found
                };
                let retract = async |ours| {
                    let _ = entry.compare_exchange(ours, 0, Relaxed, Relaxed);
                };
                block_on(lock.publish_async(attempt, retract));
            }
        });
        join([writer, filler]);
        let entry = entry.load(Relaxed);
        assert!(
            entry == 0 || entry == 1 + source.load(Relaxed),
            "a publication was missed: a stale entry stays in the cache"
        );
    });
}
