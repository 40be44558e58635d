//! What all processes share: the database, here a file mapped into memory, and the counters.

use core::slice;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::fs::File;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use memmap2::MmapRaw;

pub const KEYS: u64 = 16;

/// What is counted, in all processes together.
#[derive(Debug, Clone, Copy)]
pub enum Count {
    Gets,
    Hits,
    Loads,
    /// Loads that were not kept, because an update ran.
    NotKept,
    Updates,
    /// Updates that had to start over, or found at their end that their lease had run out.
    Lost,
    /// Calls that failed: the server was down.
    Failed,
    /// Gets served a value replaced by an update that had returned before they began.
    Stale,
    /// Gets served a value that the database had replaced before they began. The update may not have returned.
    Behind,
    /// The longest time (µs) after a change at which the old value was still served.
    LongestBehind,
    /// Tells all processes to end.
    Stop,
    /// How far the halted process is, and how far it may go.
    Entered,
    MayCommit,
    Committed,
    KeptOut,
    MayLeave,
}

const COUNTS: usize = 16;
/// For how many versions of a key it is known when they were replaced.
const TIMES: usize = 4096;
const ROW: usize = 2 + TIMES;

pub struct Shared {
    map: MmapRaw,
}

/// A row of the database.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The value: how many updates there were.
    pub version: u32,
    /// Changes with each update, and whenever a writer that may be late has to be kept out.
    pub lock: u32,
}

impl Row {
    fn pack(self) -> u64 {
        u64::from(self.version) << 32 | u64::from(self.lock)
    }

    fn unpack(word: u64) -> Self {
        Self {
            version: (word >> 32) as u32,
            lock: word as u32,
        }
    }
}

impl Shared {
    pub fn create(file: &File) -> io::Result<Self> {
        file.set_len((Self::words() * size_of::<u64>()) as u64)?;
        Self::open(file)
    }

    pub fn open(file: &File) -> io::Result<Self> {
        let map = MmapRaw::map_raw(file)?;
        assert_eq!(map.len(), Self::words() * size_of::<u64>());
        Ok(Self { map })
    }

    fn words() -> usize {
        COUNTS + ROW * KEYS as usize
    }

    fn all(&self) -> &[AtomicU64] {
        // SAFETY: the mapping is as long as that, begins on a page, and lives as long as `self`. All processes
        // reach it through atomics only, and any bytes are an `AtomicU64`.
        unsafe { slice::from_raw_parts(self.map.as_ptr().cast(), Self::words()) }
    }

    fn count_of(&self, count: Count) -> &AtomicU64 {
        &self.all()[count as usize]
    }

    pub fn count(&self, count: Count) {
        self.count_of(count).fetch_add(1, Ordering::Relaxed);
    }

    pub fn counted(&self, count: Count) -> u64 {
        self.count_of(count).load(Ordering::Relaxed)
    }

    /// Waits until something has been counted.
    pub async fn until(&self, count: Count) {
        while self.counted(count) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub fn stop(&self) {
        self.count(Count::Stop);
    }

    pub fn stopped(&self) -> bool {
        self.counted(Count::Stop) > 0
    }

    fn of(&self, key: u64) -> &[AtomicU64] {
        &self.all()[COUNTS + ROW * key as usize..][..ROW]
    }

    fn row(&self, key: u64) -> &AtomicU64 {
        &self.of(key)[0]
    }

    fn returned(&self, key: u64) -> &AtomicU64 {
        &self.of(key)[1]
    }

    fn replaced_at(&self, key: u64, version: u32) -> &AtomicU64 {
        &self.of(key)[2 + version as usize % TIMES]
    }

    pub fn read(&self, key: u64) -> Row {
        Row::unpack(self.row(key).load(Ordering::Acquire))
    }

    /// Changes the row if its lock number is `lock`: `UPDATE … SET version = version + 1, lock = lock + 1
    /// WHERE lock = …`. With `None`, changes it unconditionally.
    pub fn commit(&self, key: u64, lock: Option<u32>) -> Option<u32> {
        let change = |word| {
            let row = Row::unpack(word);
            let as_it_was = lock.is_none_or(|lock| lock == row.lock);
            let changed = Row {
                version: row.version + 1,
                lock: row.lock.wrapping_add(1),
            };
            as_it_was.then_some(changed.pack())
        };
        let word = self
            .row(key)
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, change)
            .ok()?;
        let old = Row::unpack(word).version;
        self.replaced_at(key, old).store(now(), Ordering::Release);
        Some(old + 1)
    }

    /// Makes every commit fail whose writer read the row before.
    pub fn keep_out(&self, key: u64) {
        let change = |word| {
            let row = Row::unpack(word);
            let lock = row.lock.wrapping_add(1);
            Some(Row { lock, ..row }.pack())
        };
        let _ = self
            .row(key)
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, change);
    }

    /// Call this after the update has returned, never before.
    pub fn update_returned(&self, key: u64, version: u32) {
        self.count(Count::Updates);
        self.returned(key)
            .fetch_max(version.into(), Ordering::Release);
    }

    /// Call this before a get begins.
    pub fn getting(&self, key: u64) -> Getting {
        Getting {
            key,
            returned: self.returned(key).load(Ordering::Acquire),
            committed: self.read(key).version,
            at: now(),
        }
    }

    pub fn got(&self, begun: &Getting, version: u32) {
        self.count(Count::Gets);
        if u64::from(version) < begun.returned {
            self.count(Count::Stale);
        }
        if version < begun.committed {
            self.count(Count::Behind);
            let replaced = self.replaced_at(begun.key, version).load(Ordering::Acquire);
            // A change is a moment older than its recorded time.
            if replaced > 0 {
                let behind = begun.at.saturating_sub(replaced);
                self.count_of(Count::LongestBehind)
                    .fetch_max(behind, Ordering::Relaxed);
            }
        }
    }

    pub fn longest_behind(&self) -> Duration {
        Duration::from_micros(self.counted(Count::LongestBehind))
    }
}

/// What is known when a get begins.
#[derive(Debug)]
pub struct Getting {
    key: u64,
    returned: u64,
    committed: u32,
    at: u64,
}

/// Microseconds, by a clock that all processes share.
fn now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is later than 1970");
    u64::try_from(since.as_micros()).expect("it is not that late")
}
