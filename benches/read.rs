//! What does a read cost without a writer?
//!
//! `value/N`: copying a value of `N` bytes out of each contender. `section`: the lock alone.
//! For the figures of the split word: `RUSTFLAGS="--cfg seqschedlock_split" cargo bench --bench read`.

#[path = "bench/rivals.rs"]
mod rivals;
#[path = "bench/settings.rs"]
mod settings;

use std::hint::black_box;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use rivals::Snapshot;
use seqschedlock::{RawSeqSchedLock, Spin};

fn load<const N: usize, S: Snapshot<N>>(group: &mut BenchmarkGroup<'_, WallTime>) {
    let value = S::new([7; N]);
    group.bench_function(S::NAME, |bencher| bencher.iter(|| black_box(&value).load()));
}

fn value<const N: usize>(criterion: &mut Criterion) {
    let bytes = N * size_of::<u64>();
    let mut group = criterion.benchmark_group(format!("value/{bytes}"));
    group.throughput(Throughput::Bytes(bytes as u64));
    for_each_snapshot!(N, load(&mut group));
    group.finish();
}

fn section(criterion: &mut Criterion) {
    let lock = RawSeqSchedLock::<Spin>::new();
    let mut group = criterion.benchmark_group(settings::with_word("section"));
    group.bench_function("begin + end", |bencher| {
        bencher.iter(|| {
            let lock = black_box(&lock);
            lock.read_begin()
                .is_ok_and(|stamp| lock.read_end(stamp).is_ok())
        });
    });
    group.bench_function("begin + commit", |bencher| {
        bencher.iter(|| {
            let lock = black_box(&lock);
            lock.read_begin()
                .is_ok_and(|stamp| lock.read_commit(stamp).is_ok())
        });
    });
    group.finish();
}

fn main() {
    let mut criterion = settings::criterion();
    section(&mut criterion);
    value::<1>(&mut criterion);
    value::<4>(&mut criterion);
    value::<8>(&mut criterion);
    value::<32>(&mut criterion);
    criterion.final_summary();
}
