//! A load that is handed over late, after its entry has been found, validated and removed.
//!
//! A cache that runs one load for many waiters puts the entry in place first and then tells the waiters (moka 0.12,
//! both kinds). In between others find the entry and may validate it, an update may remove it, and a get that begins
//! after all that still joins the load. So `hit` is the wrong question about what a load has handed over: the entry
//! is open, and stale. The right one is `fresh`.

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;
use seqschedlock::{Fenced, Park, RawSeqSchedLock};

use super::stage::{DEADLINE, begun, in_time};

const KEY: u32 = 7;

type Entry = Arc<Fenced<u32>>;

/// What to ask of an entry that a load has handed over.
type Question = fn(&Fenced<u32>, &RawSeqSchedLock<Park>) -> Option<u32>;

/// Holds up the first load between putting its entry into place and telling its waiters.
///
/// The cache asks this when it has inserted an entry: a place where a thread may lose the processor anyway.
struct HeldUp {
    inserted: SyncSender<()>,
    release: Mutex<Option<Receiver<()>>>,
}

impl Expiry<u32, Entry> for HeldUp {
    fn expire_after_create(&self, _: &u32, _: &Entry, _: Instant) -> Option<Duration> {
        let first = self.release.lock().unwrap().take();
        if let Some(release) = first {
            self.inserted.send(()).unwrap();
            release.recv_timeout(DEADLINE).unwrap();
        }
        None
    }
}

struct Service {
    cache: Cache<u32, Entry>,
    fence: RawSeqSchedLock<Park>,
    /// The values are versions.
    source: AtomicU32,
    question: Question,
}

impl Service {
    fn new(question: Question, held_up: HeldUp) -> Self {
        Self {
            cache: Cache::builder()
                .max_capacity(100)
                .expire_after(held_up)
                .build(),
            fence: RawSeqSchedLock::new(),
            source: AtomicU32::new(1),
            question,
        }
    }

    async fn get(&self) -> u32 {
        loop {
            if let Some(entry) = self.cache.get(&KEY).await {
                if let Some(version) = entry.hit(&self.fence) {
                    return *version;
                }
                self.cache.invalidate(&KEY).await;
            }
            let load = async {
                let stamp = self.fence.read_begin_async().await;
                let version = self.source.load(Ordering::Acquire);
                Arc::new(Fenced::new(stamp, version))
            };
            let loaded = self.cache.get_with(KEY, load).await;
            if let Some(version) = (self.question)(&loaded, &self.fence) {
                return version;
            }
        }
    }

    async fn update(&self) {
        let _section = self.fence.write();
        self.cache.invalidate(&KEY).await;
        self.source.fetch_add(1, Ordering::AcqRel);
    }
}

/// The answer to a get that begins after the update and joins a load from before it.
async fn story(question: Question) -> u32 {
    let (inserted, is_inserted) = sync_channel(1);
    let (go, release) = sync_channel(1);
    let release = Mutex::new(Some(release));
    let service = Arc::new(Service::new(question, HeldUp { inserted, release }));

    let loader = tokio::spawn({
        let service = Arc::clone(&service);
        async move { service.get().await }
    });
    let is_inserted = tokio::task::spawn_blocking(move || is_inserted.recv_timeout(DEADLINE));
    is_inserted.await.unwrap().unwrap(); // the old version, in its place
    assert_eq!(service.get().await, 1); // found and validated
    service.update().await; // found and removed
    let late = begun(service.get()).await; // joins the load
    go.send(()).unwrap();
    loader.await.unwrap(); // overlapped the update: may have been told either
    late.await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hit_on_what_was_handed_over_serves_what_was_updated() {
    let hit: Question = |entry, fence| entry.hit(fence).copied();
    assert_eq!(in_time(story(hit)).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fresh_never_does() {
    let fresh: Question = |entry, fence| entry.fresh(fence).copied();
    assert_eq!(in_time(story(fresh)).await, 2);
}
