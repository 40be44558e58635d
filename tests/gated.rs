//! The gate: readers get through, sections wait for them and for nothing else.
#![cfg(not(loom))]

#[path = "support/patience.rs"]
mod patience;

use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;

use patience::receive;
use seqschedlock::{Conflict, GatedSeqSchedLock, Spin, Wait};
use static_assertions::assert_impl_all;

assert_impl_all!(GatedSeqSchedLock<Spin>: Send, Sync, Default, core::fmt::Debug);

type Lock = GatedSeqSchedLock<Spin>;

#[test]
fn a_load_that_raced_is_repeated_and_nothing_of_it_is_published() {
    let lock = Lock::new();
    let mut loads = 0;
    let mut published = Vec::new();
    lock.publish(
        || {
            loads += 1;
            if loads < 3 {
                drop(lock.write());
            }
            loads
        },
        |loaded| published.push(loaded),
    );
    assert_eq!((loads, published), (3, vec![3]));
}

#[test]
fn a_reader_that_has_lost_a_few_times_keeps_the_gate() {
    let lock = Lock::new();
    let mut loads = 0;
    let found = lock.read(|| {
        loads += 1;
        match lock.try_write() {
            Some(section) => {
                drop(section);
                None
            }
            None => Some(loads),
        }
    });
    assert_eq!(
        found,
        Some(4),
        "three attempts, and one that no section can disturb"
    );
    assert!(lock.try_write().is_some(), "the gate is open again");
}

#[test]
fn publishing_keeps_sections_out() {
    let lock = Lock::new();
    lock.publish(|| (), |()| assert!(lock.try_write().is_none()));
    assert!(lock.try_write().is_some());
}

#[test]
fn a_panic_opens_the_gate_again() {
    let lock = Lock::new();
    let panics = [
        catch_unwind(AssertUnwindSafe(|| {
            lock.publish(|| (), |()| panic!("publish"))
        })),
        catch_unwind(AssertUnwindSafe(|| {
            let look = || match lock.try_write() {
                Some(section) => drop(section),
                None => panic!("behind the gate"),
            };
            lock.read(look)
        })),
    ];
    assert!(panics.iter().all(Result::is_err));
    assert!(lock.try_write().is_some());
}

#[test]
fn sections_overlap_and_readers_are_told() {
    let lock = Lock::new();
    let sections = [lock.write(), lock.write()];
    assert_eq!(lock.writers(), 2);
    assert_eq!(lock.try_read(|| ()), Err(Conflict::WriterRunning));
    assert!(format!("{lock:?}").contains("writers: 2"), "{lock:?}");
    drop(sections);
    assert_eq!(lock.try_read(|| ()), Ok(()));
}

/// Two writers whose sections follow one another without a pause, so that there is hardly ever a moment without one;
/// and loads that are longer than any such moment.
fn a_reader_gets_through_beside_writers_without_pause<W: Wait + Send + Sync + 'static>() {
    const READS: usize = if cfg!(miri) { 3 } else { 200 };
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        let lock = GatedSeqSchedLock::<W>::new();
        let pair = [const { AtomicU64::new(0) }; 2];
        let stop = AtomicBool::new(false);
        let sections = AtomicUsize::new(0);
        thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    while !stop.load(Relaxed) {
                        let _section = lock.write();
                        // Each adds to both: equal when no section runs.
                        pair[0].fetch_add(1, Relaxed);
                        sections.fetch_add(1, Relaxed);
                        pair[1].fetch_add(1, Relaxed);
                    }
                });
            }
            // On a busy machine the reads below can be over before a thread has been scheduled.
            while sections.load(Relaxed) < 2 {
                thread::yield_now();
            }
            for read in 0..READS {
                let look = || {
                    let first = pair[0].load(Relaxed);
                    thread::yield_now();
                    (first, pair[1].load(Relaxed))
                };
                let (left, right) = if read % 2 == 0 {
                    lock.read(look)
                } else {
                    lock.publish(look, |found| found)
                };
                assert_eq!(left, right, "a torn look");
            }
            stop.store(true, Relaxed);
        });
        done.send(()).unwrap();
    });
    receive("the reader gets through", &is_done);
}

#[test]
fn a_spinning_reader_gets_through() {
    a_reader_gets_through_beside_writers_without_pause::<Spin>();
}

#[cfg(feature = "std")]
#[test]
fn a_yielding_reader_gets_through() {
    a_reader_gets_through_beside_writers_without_pause::<seqschedlock::Yield>();
}

#[cfg(feature = "park")]
#[test]
fn a_blocking_reader_gets_through() {
    a_reader_gets_through_beside_writers_without_pause::<seqschedlock::Park>();
}

#[cfg(all(feature = "park", feature = "std"))]
mod awaited {
    use core::future::Future;
    use core::pin::pin;
    use core::task::{Context, Waker};
    use std::sync::Arc;
    use std::task::Wake;

    use seqschedlock::Park;

    use super::*;

    #[test]
    fn a_future_that_is_dropped_opens_the_gate() {
        let lock = GatedSeqSchedLock::<Park>::new();
        let section = lock.write();
        {
            let publication = lock.publish_async(async || (), |()| unreachable!());
            let mut publication = pin!(publication);
            let mut context = Context::from_waker(Waker::noop());
            assert!(publication.as_mut().poll(&mut context).is_pending());
            assert!(lock.try_write().is_none(), "it keeps the gate");
        }
        assert!(lock.try_write().is_some());
        drop(section);
    }

    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("as a waker must not");
        }
    }

    #[test]
    fn a_waker_that_panics_as_the_gate_opens_leaves_no_section_behind() {
        let lock = GatedSeqSchedLock::<Park>::new();
        let [mut first, mut second] = [(); 2].map(|()| Box::pin(lock.write_async()));
        let panics = Waker::from(Arc::new(Panics));
        lock.alone(|| {
            let mut context = Context::from_waker(Waker::noop());
            assert!(first.as_mut().poll(&mut context).is_pending());
            let mut context = Context::from_waker(&panics);
            assert!(second.as_mut().poll(&mut context).is_pending());
        });
        // The first begins its section, and opens the gate, which wakes the second.
        let begins = catch_unwind(AssertUnwindSafe(|| {
            let mut context = Context::from_waker(Waker::noop());
            first.as_mut().poll(&mut context).is_ready()
        }));
        assert!(begins.is_err());
        assert_eq!(lock.writers(), 0, "a section that nobody owns");
        drop((first, second));
        assert!(lock.try_write().is_some());
    }

    #[test]
    fn futures_are_send_where_their_closures_are() {
        fn send<F: Future + Send>(_: F) {}
        let lock = GatedSeqSchedLock::<Park>::new();
        let text = String::from("borrowed");
        send(lock.read_async(async || text.len()));
        send(lock.publish_async(async || text.as_str(), str::len));
        send(lock.write_async());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_awaiting_reader_gets_through_beside_writers_without_pause() {
        let lock = Arc::new(GatedSeqSchedLock::<Park>::new());
        let source = Arc::new(AtomicU64::new(0));
        let entry = Arc::new(std::sync::Mutex::new(None));
        let stop = Arc::new(AtomicBool::new(false));
        let writers = [(); 2].map(|()| {
            let (lock, source) = (Arc::clone(&lock), Arc::clone(&source));
            let (entry, stop) = (Arc::clone(&entry), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Relaxed) {
                    let _section = lock.write_async().await;
                    entry.lock().unwrap().take();
                    tokio::task::yield_now().await;
                    source.fetch_add(1, Relaxed);
                }
            })
        });
        let fills = async {
            for _ in 0..100 {
                let load = async || {
                    let loaded = source.load(Relaxed);
                    tokio::task::yield_now().await;
                    loaded
                };
                lock.publish_async(load, |loaded| *entry.lock().unwrap() = Some(loaded))
                    .await;
            }
        };
        tokio::time::timeout(crate::patience::PATIENCE, fills)
            .await
            .expect("the reader gets through");
        stop.store(true, Relaxed);
        for writer in writers {
            writer.await.unwrap();
        }
        let (entry, source) = (*entry.lock().unwrap(), source.load(Relaxed));
        assert!(
            entry.is_none_or(|entry| entry == source),
            "{entry:?} of {source}"
        );
    }
}
