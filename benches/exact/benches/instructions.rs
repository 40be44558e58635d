//! Instructions per operation, exactly: a thousand of each, counted by callgrind.
//!
//! Each has a limit: the count when the limit was set, plus 100 for the whole thousand. A count above
//! the limit is an error. If you make an operation cheaper, lower its limit. The counts include the
//! two or three instructions of the loop around the operation.
//!
//! Needs valgrind, and `cargo install gungraun-runner --version =0.20.0`.
//!
//! ```text
//! cargo bench                                              # in benches/exact
//! RUSTFLAGS="--cfg seqschedlock_split" cargo bench         # the other word
//! ```

use std::hint::black_box;
use std::sync::Arc;

use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use quick_cache::sync::Cache;
use seqschedlock::{Fenced, Park, RawSeqSchedLock, SeqSchedCell, Spin, StripedSeqSchedLock};

const TIMES: u64 = 1000;

static SPIN: RawSeqSchedLock<Spin> = RawSeqSchedLock::new();
static PARK: RawSeqSchedLock<Park> = RawSeqSchedLock::new();
static CELL: SeqSchedCell<[u64; 4], Spin> = SeqSchedCell::new([0; 4]);
static PARKED_CELL: SeqSchedCell<[u64; 4], Park> = SeqSchedCell::new([0; 4]);

/// The most instructions that each operation may take, on one word and on the other.
fn at_most(packed: u64, split: u64) -> LibraryBenchmarkConfig {
    let each = if cfg!(seqschedlock_split) {
        split
    } else {
        packed
    };
    // The 100 are for the call of the function, and for its beginning and end.
    let limit = each * TIMES + 100;
    LibraryBenchmarkConfig::default()
        .tool(Callgrind::default().hard_limits([(EventKind::Ir, limit)]))
        .clone()
}

#[library_benchmark(config = at_most(11, 14))]
fn begin_end() -> u64 {
    let lock = black_box(&SPIN);
    (0..TIMES)
        .filter(|_| {
            lock.read_begin()
                .is_ok_and(|stamp| lock.read_end(stamp).is_ok())
        })
        .count() as u64
}

#[library_benchmark(config = at_most(12, 15))]
fn begin_commit() -> u64 {
    let lock = black_box(&SPIN);
    (0..TIMES)
        .filter(|_| {
            lock.read_begin()
                .is_ok_and(|stamp| lock.read_commit(stamp).is_ok())
        })
        .count() as u64
}

#[library_benchmark(config = at_most(6, 7))]
fn write_spin() {
    let lock = black_box(&SPIN);
    for _ in 0..TIMES {
        drop(lock.write());
    }
}

#[library_benchmark(config = at_most(11, 11))]
fn write_park() {
    let lock = black_box(&PARK);
    for _ in 0..TIMES {
        drop(lock.write());
    }
}

// One of them counts the attempts: after some, a load takes a turn.
#[library_benchmark(config = at_most(20, 24))]
fn cell_load() {
    let cell = black_box(&CELL);
    for _ in 0..TIMES {
        black_box(cell.load());
    }
}

#[library_benchmark(config = at_most(27, 28))]
fn cell_store() {
    let cell = black_box(&CELL);
    for time in 0..TIMES {
        cell.store(black_box([time; 4]));
    }
}

#[library_benchmark(config = at_most(29, 30))]
fn cell_store_park() {
    let cell = black_box(&PARKED_CELL);
    for time in 0..TIMES {
        cell.store(black_box([time; 4]));
    }
}

const KEY: u64 = 7;

static STRIPES: StripedSeqSchedLock<Park> = StripedSeqSchedLock::new();

fn plain() -> Cache<u64, Arc<u64>> {
    let cache = Cache::new(100);
    cache.insert(KEY, Arc::new(KEY));
    cache
}

// What a hit of a fast cache costs, as the baseline for the next one.
#[library_benchmark(config = at_most(95, 95))]
#[bench::of_one_key(plain())]
fn hit_plain(cache: Cache<u64, Arc<u64>>) -> Cache<u64, Arc<u64>> {
    for _ in 0..TIMES {
        black_box(cache.get(&black_box(KEY)));
    }
    cache
}

fn fenced() -> Cache<u64, Arc<Fenced<u64>>> {
    let cache = Cache::new(100);
    let stamp = STRIPES.for_key(&KEY).read_begin_wait();
    let entry = Arc::new(Fenced::new(stamp, KEY));
    cache.insert(KEY, Arc::clone(&entry));
    entry.hit(STRIPES.for_key(&KEY)).expect("no section ran");
    cache
}

#[library_benchmark(config = at_most(102, 102))]
#[bench::of_one_key(fenced())]
fn hit_fenced(cache: Cache<u64, Arc<Fenced<u64>>>) -> Cache<u64, Arc<Fenced<u64>>> {
    for _ in 0..TIMES {
        let key = black_box(KEY);
        let found = cache.get(&key);
        black_box(found.filter(|entry| entry.hit(STRIPES.for_key(&key)).is_some()));
    }
    cache
}

library_benchmark_group!(
    name = per_thousand,
    benchmarks = [
        begin_end,
        begin_commit,
        write_spin,
        write_park,
        cell_load,
        cell_store,
        cell_store_park,
        hit_plain,
        hit_fenced,
    ]
);

main!(library_benchmark_groups = per_thousand);
