//! `Park`, awaited: on a real runtime, and polled by hand where the moment matters.
#![cfg(all(not(loom), feature = "park"))]

#[path = "support/patience.rs"]
mod patience;

use core::cell::Cell;
use core::future::Future;
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Mutex};
use std::task::Wake;

use seqschedlock::{Conflict, Park, RawSeqSchedLock, SeqSchedLock, Stamp, StripedSeqSchedLock};

/// Counts how often a task was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Woken {
    fn times(&self) -> usize {
        self.0.load(Relaxed)
    }
}

fn poll<F: Future>(future: Pin<&mut F>, woken: &Arc<Woken>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(woken))))
}

#[test]
fn a_reader_without_a_writer_is_ready_at_once() {
    let lock = RawSeqSchedLock::<Park>::new();
    let woken = Arc::default();
    assert!(poll(pin!(lock.read_begin_async()), &woken).is_ready());
    assert_eq!(
        poll(pin!(lock.read_async(async || 7)), &woken),
        Poll::Ready(7)
    );
    let publication = lock.publish_async(async || 8, async |_| unreachable!());
    assert_eq!(poll(pin!(publication), &woken), Poll::Ready(8));
}

#[test]
fn only_the_last_writer_out_wakes() {
    let lock = RawSeqSchedLock::<Park>::new();
    let (one, other) = (lock.write(), lock.write());
    let woken = Arc::default();
    let mut reader = pin!(lock.read_begin_async());
    assert!(poll(reader.as_mut(), &woken).is_pending());
    drop(one);
    assert_eq!(woken.times(), 0);
    assert!(poll(reader.as_mut(), &woken).is_pending());
    drop(other);
    assert_eq!(woken.times(), 1);
    let Poll::Ready(stamp) = poll(reader, &woken) else {
        panic!("no writer runs")
    };
    assert_eq!(lock.read_end(stamp), Ok(()));
}

#[test]
fn a_cancelled_section_wakes_as_well() {
    let lock = RawSeqSchedLock::<Park>::new();
    let section = lock.write();
    let woken = Arc::default();
    let mut reader = pin!(lock.read_begin_async());
    assert!(poll(reader.as_mut(), &woken).is_pending());
    section.cancel();
    assert_eq!(woken.times(), 1);
    assert!(poll(reader, &woken).is_ready());
}

#[test]
fn a_woken_reader_that_meets_the_next_writer_waits_for_it_too() {
    let lock = RawSeqSchedLock::<Park>::new();
    let section = lock.write();
    let woken = Arc::default();
    let mut reader = pin!(lock.read_begin_async());
    assert!(poll(reader.as_mut(), &woken).is_pending());
    drop(section);
    let next = lock.write();
    assert!(poll(reader.as_mut(), &woken).is_pending());
    drop(next);
    assert_eq!(woken.times(), 2);
    assert!(poll(reader, &woken).is_ready());
}

#[test]
fn a_dropped_reader_is_not_woken_and_the_one_that_stays_is() {
    let lock = RawSeqSchedLock::<Park>::new();
    let section = lock.write();
    let (gone, stays) = (Arc::<Woken>::default(), Arc::<Woken>::default());
    let mut reader = pin!(lock.read_begin_async());
    {
        let mut dropped = pin!(lock.read_begin_async());
        assert!(poll(dropped.as_mut(), &gone).is_pending());
        assert!(poll(reader.as_mut(), &stays).is_pending());
    }
    drop(section);
    assert_eq!((gone.times(), stays.times()), (0, 1));
    assert!(poll(reader, &stays).is_ready());
    assert_eq!(Arc::strong_count(&gone), 1, "the queue still holds a waker");
}

#[test]
fn a_reader_dropped_between_its_wake_up_and_its_next_poll_takes_nobody_along() {
    let lock = RawSeqSchedLock::<Park>::new();
    let section = lock.write();
    let (gone, stays) = (Arc::<Woken>::default(), Arc::<Woken>::default());
    let mut reader = pin!(lock.read_begin_async());
    {
        let mut dropped = pin!(lock.read_begin_async());
        assert!(poll(dropped.as_mut(), &gone).is_pending());
        assert!(poll(reader.as_mut(), &stays).is_pending());
        drop(section);
    }
    assert_eq!((gone.times(), stays.times()), (1, 1));
    assert!(poll(reader, &stays).is_ready());
}

#[test]
fn a_wake_request_left_behind_wakes_nobody_and_is_forgotten() {
    let lock = RawSeqSchedLock::<Park>::new();
    let section = lock.write();
    let gone = Arc::default();
    assert!(poll(pin!(lock.read_begin_async()), &gone).is_pending());
    drop(section);
    assert_eq!(gone.times(), 0);
    // Stamps do not show the request, neither while it is set nor after.
    let stamp = lock.read_begin().unwrap();
    assert_eq!(lock.read_end(stamp), Ok(()));
}

#[test]
fn a_raced_look_is_repeated() {
    let lock = RawSeqSchedLock::<Park>::new();
    let looks = Cell::new(0);
    let look = async || {
        looks.set(looks.get() + 1);
        if looks.get() < 3 {
            drop(lock.write());
        }
        looks.get()
    };
    let mut reader = pin!(lock.read_async(look));
    let woken = Arc::default();
    for raced in 1..3 {
        // Other tasks get a turn, and it is not forgotten.
        assert!(poll(reader.as_mut(), &woken).is_pending());
        assert_eq!((looks.get(), woken.times()), (raced, raced));
    }
    assert_eq!(poll(reader, &woken), Poll::Ready(3));
}

#[tokio::test(flavor = "current_thread")]
async fn a_timeout_ends_looks_that_race_for_ever() {
    let lock = RawSeqSchedLock::<Park>::new();
    let look = async || drop(lock.write());
    let patience = Duration::from_millis(1);
    let given_up = tokio::time::timeout(patience, lock.read_async(look)).await;
    assert!(given_up.is_err());
}

#[test]
fn a_raced_publication_is_retracted_before_the_next_attempt() {
    let lock = RawSeqSchedLock::<Park>::new();
    let log = Mutex::new(Vec::new());
    let attempts = Cell::new(0);
    let publication = lock.publish_async(
        async || {
            attempts.set(attempts.get() + 1);
            log.lock()
                .unwrap()
                .push(format!("attempt {}", attempts.get()));
            if attempts.get() == 1 {
                drop(lock.write());
            }
            attempts.get()
        },
        async |published| log.lock().unwrap().push(format!("retract {published}")),
    );
    let mut publication = pin!(publication);
    let woken = Arc::default();
    assert!(poll(publication.as_mut(), &woken).is_pending());
    assert_eq!(
        woken.times(),
        1,
        "other tasks get a turn, and it is not forgotten"
    );
    assert_eq!(poll(publication, &woken), Poll::Ready(2));
    assert_eq!(
        *log.lock().unwrap(),
        ["attempt 1", "retract 1", "attempt 2"]
    );
}

#[test]
fn futures_are_send_where_their_closures_are() {
    fn send<F: Future + Send>(future: F) -> F {
        future
    }
    /// As a generic caller sees it.
    fn of_any<F: Future<Output = u32> + Send>(
        lock: &RawSeqSchedLock<Park>,
        look: impl FnMut() -> F + Send,
    ) -> impl Future<Output = u32> + Send {
        lock.read_async(look)
    }
    let lock = RawSeqSchedLock::<Park>::new();
    let text = String::from("borrowed");
    drop(send(lock.read_begin_async()));
    drop(send(lock.read_async(async || text.len())));
    drop(send(
        lock.publish_async(async || text.as_str(), async |_| ()),
    ));
    drop(of_any(&lock, async || 7));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_guard_is_held_across_an_await_and_ends_on_another_thread() {
    const ROUNDS: u64 = if cfg!(miri) { 4 } else { 50 };
    let lock = Arc::new(SeqSchedLock::<[AtomicU64; 2], Park>::default());
    let writers = (1..=8).map(|writer| {
        let lock = Arc::clone(&lock);
        tokio::spawn(async move {
            for round in 1..=ROUNDS {
                let section = lock.write();
                section[0].fetch_add(writer * round, Relaxed);
                tokio::task::yield_now().await;
                if round % 16 == 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                section[1].fetch_add(writer * round, Relaxed);
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let readers = (0..4).map(|_| {
        let lock = Arc::clone(&lock);
        tokio::spawn(async move {
            let mut last = 0;
            while last < 36 * (ROUNDS * (ROUNDS + 1) / 2) {
                let [one, other] = lock
                    .raw()
                    .read_async(async || {
                        let one = lock.unvalidated()[0].load(Relaxed);
                        tokio::task::yield_now().await;
                        [one, lock.unvalidated()[1].load(Relaxed)]
                    })
                    .await;
                assert_eq!(one, other, "half of a section");
                assert!(one >= last, "a section that had ended is gone");
                last = one;
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for task in writers.into_iter().chain(readers) {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_give_up_leave_the_others_their_wake_up() {
    let lock = Arc::new(RawSeqSchedLock::<Park>::new());
    for _ in 0..if cfg!(miri) { 2 } else { 20 } {
        let section = lock.write();
        let patient: Vec<_> = (0..4)
            .map(|_| {
                let lock = Arc::clone(&lock);
                tokio::spawn(async move { lock.read_begin_async().await })
            })
            .collect();
        for timeout in [0, 1, 2] {
            let impatient = lock.read_begin_async();
            let gave_up = tokio::time::timeout(Duration::from_millis(timeout), impatient).await;
            assert!(gave_up.is_err(), "a stamp in spite of a writer");
        }
        drop(section);
        for reader in patient {
            let stamp: Stamp = reader.await.unwrap();
            assert_eq!(lock.read_end(stamp), Ok(()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_section_that_is_aborted_in_its_await_ends() {
    let lock = Arc::new(RawSeqSchedLock::<Park>::new());
    let runs = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (lock, runs) = (Arc::clone(&lock), Arc::clone(&runs));
        async move {
            let _section = lock.write();
            runs.store(true, Relaxed);
            core::future::pending::<()>().await;
        }
    });
    while !runs.load(Relaxed) {
        tokio::task::yield_now().await;
    }
    assert_eq!(lock.read_begin(), Err(Conflict::WriterRunning));
    writer.abort();
    let stamp = lock.read_begin_async().await;
    assert_eq!(lock.read_end(stamp), Ok(()));
}

/// Fill against invalidate, each in a task of its own: whichever way they cross, what stays in the
/// cache is what the source says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fill_never_outlives_the_invalidation_it_crossed() {
    struct Shared {
        stripes: StripedSeqSchedLock<Park>,
        source: AtomicU64,
        cache: Mutex<Option<u64>>,
    }
    let shared = Arc::new(Shared {
        stripes: StripedSeqSchedLock::new(),
        source: AtomicU64::new(0),
        cache: Mutex::new(None),
    });
    let mut kept = 0;
    for version in 1..=if cfg!(miri) { 20 } else { 500 } {
        let fill = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                let (source, cache) = (&shared.source, &shared.cache);
                let attempt = async || {
                    let value = source.load(Relaxed);
                    for _ in 0..version % 8 {
                        tokio::task::yield_now().await; // a slow source
                    }
                    *cache.lock().unwrap() = Some(value);
                    value
                };
                let retract = async |ours| {
                    cache.lock().unwrap().take_if(|there| *there == ours);
                };
                let stripe = shared.stripes.for_key("key");
                stripe.publish_async(attempt, retract).await;
            }
        });
        let invalidate = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                let section = shared.stripes.for_key("key").write();
                shared.source.store(version, Relaxed);
                tokio::task::yield_now().await;
                *shared.cache.lock().unwrap() = None;
                drop(section);
            }
        });
        invalidate.await.unwrap();
        fill.await.unwrap();
        let cached = *shared.cache.lock().unwrap();
        assert!(
            cached.is_none_or(|cached| cached == version),
            "{cached:?} after {version}"
        );
        kept += usize::from(cached.is_some());
    }
    assert!(kept > 0, "no fill ever came after its invalidation");
}

/// Runs `ends` on a thread of its own, and fails if it does not end.
fn must_end(what: &str, ends: impl FnOnce() + Send + 'static) {
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        ends();
        done.send(()).unwrap();
    });
    patience::receive(what, &is_done);
}

type Task = Pin<Box<dyn Future<Output = Stamp> + Send>>;

/// A waker that does something to its task on the spot, on the thread of the writer.
struct OnTheSpot {
    task: Mutex<Option<Task>>,
    wake: fn(&OnTheSpot, &Waker),
}

impl Wake for OnTheSpot {
    fn wake(self: Arc<Self>) {
        (self.wake)(&self, &Waker::from(Arc::clone(&self)));
    }
}

impl OnTheSpot {
    fn waits(lock: &'static RawSeqSchedLock<Park>, wake: fn(&OnTheSpot, &Waker)) -> Arc<Self> {
        let task: Task = Box::pin(lock.read_begin_async());
        let this = Arc::new(OnTheSpot {
            task: Mutex::new(Some(task)),
            wake,
        });
        assert!(this.poll(&Waker::from(Arc::clone(&this))).is_pending());
        this
    }

    fn poll(&self, waker: &Waker) -> Poll<Stamp> {
        let mut task = self.task.lock().unwrap();
        let task = task.as_mut().expect("it is there until it is dropped");
        task.as_mut().poll(&mut Context::from_waker(waker))
    }
}

/// Like a task that is cancelled by its waker, or a bounded queue of tasks that is full.
#[test]
fn a_waker_that_drops_its_task_hangs_nobody() {
    must_end("the writer comes back", || {
        let lock: &'static _ = Box::leak(Box::new(RawSeqSchedLock::<Park>::new()));
        let section = lock.write();
        let drops = OnTheSpot::waits(lock, |this, _| drop(this.task.lock().unwrap().take()));
        let stays = Arc::default();
        let mut reader = pin!(lock.read_begin_async());
        assert!(poll(reader.as_mut(), &stays).is_pending());
        drop(section);
        assert!(drops.task.lock().unwrap().is_none());
        assert_eq!(stays.times(), 1);
        assert!(poll(reader, &stays).is_ready());
    });
}

/// Like an executor that runs a task where it is woken. The task may begin to wait again.
#[test]
fn a_waker_that_polls_its_task_hangs_nobody() {
    must_end("the writer comes back", || {
        let lock: &'static _ = Box::leak(Box::new(RawSeqSchedLock::<Park>::new()));
        let section = lock.write();
        let polls = OnTheSpot::waits(lock, |this, waker| {
            if this.poll(waker).is_ready() {
                this.task.lock().unwrap().take();
            }
        });
        let next = lock.write();
        drop(section);
        assert!(polls.task.lock().unwrap().is_some(), "a writer still runs");
        drop(next);
        assert!(polls.task.lock().unwrap().is_none());
    });
}

#[cfg(feature = "std")]
#[test]
fn a_waker_that_panics_takes_no_wake_up_from_others() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("as a waker must not");
        }
    }
    let panics = Waker::from(Arc::new(Panics));
    let lock = RawSeqSchedLock::<Park>::new();
    for round in 1..=10 {
        let section = lock.write();
        let woken: [Arc<Woken>; 3] = Default::default();
        let mut readers = [(); 5].map(|()| Box::pin(lock.read_begin_async()));
        for (index, reader) in readers.iter_mut().enumerate() {
            let pending = match index {
                0 | 2 => reader.as_mut().poll(&mut Context::from_waker(&panics)),
                _ => poll(reader.as_mut(), &woken[index / 2]),
            };
            assert!(pending.is_pending());
        }
        let panic = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| drop(section)));
        let message = *panic.unwrap_err().downcast::<&str>().unwrap();
        assert_eq!(message, "as a waker must not");
        // The readers 1, 3 and 4; the panics of 0 and 2 came before them and between.
        assert_eq!(
            woken.each_ref().map(|woken| woken.times()),
            [1, 1, 1],
            "round {round}"
        );
        for reader in &mut readers {
            assert!(poll(reader.as_mut(), &woken[0]).is_ready());
        }
    }
}

/// A second panic would end the process.
#[cfg(feature = "std")]
#[test]
fn a_waker_that_panics_in_a_section_that_unwinds_ends_nothing_else() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("as a waker must not");
        }
    }
    let lock = RawSeqSchedLock::<Park>::new();
    let mut reader = pin!(lock.read_begin_async());
    let panic = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
        let _section = lock.write();
        let waker = Waker::from(Arc::new(Panics));
        assert!(
            reader
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        panic!("the section's own");
    }));
    assert_eq!(
        *panic.unwrap_err().downcast::<&str>().unwrap(),
        "the section's own"
    );
    assert!(poll(reader, &Arc::default()).is_ready());
}
