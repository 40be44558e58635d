//! What does a write cost without readers?
//!
//! `store/N`: replacing a value of `N` bytes in each contender. `write section`: the lock alone.

#[path = "bench/rivals.rs"]
mod rivals;
#[path = "bench/settings.rs"]
mod settings;

use std::hint::black_box;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use rivals::Snapshot;
use seqschedlock::{Park, RawSeqSchedLock, Spin, Wait};

fn store<const N: usize, S: Snapshot<N>>(group: &mut BenchmarkGroup<'_, WallTime>) {
    let value = S::new([7; N]);
    group.bench_function(S::NAME, |bencher| {
        bencher.iter(|| black_box(&value).store(black_box([8; N])));
    });
}

fn value<const N: usize>(criterion: &mut Criterion) {
    let bytes = N * size_of::<u64>();
    let mut group = criterion.benchmark_group(format!("store/{bytes}"));
    group.throughput(Throughput::Bytes(bytes as u64));
    for_each_snapshot!(N, store(&mut group));
    group.finish();
}

fn section(criterion: &mut Criterion) {
    fn section_with<W: Wait>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str) {
        let lock = RawSeqSchedLock::<W>::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| drop(black_box(&lock).write()))
        });
        group.bench_function(format!("{name}, cancelled"), |bencher| {
            bencher.iter(|| black_box(&lock).write().cancel());
        });
    }

    let mut group = criterion.benchmark_group(settings::with_word("write section"));
    section_with::<Spin>(&mut group, "RawSeqSchedLock<Spin>");
    section_with::<Park>(&mut group, "RawSeqSchedLock<Park>");
    let rival = seqlock::SeqLock::new(());
    group.bench_function("seqlock::SeqLock", |bencher| {
        bencher.iter(|| drop(black_box(&rival).lock_write()));
    });
    let rival = std::sync::RwLock::new(());
    group.bench_function("std RwLock", |bencher| {
        bencher.iter(|| drop(black_box(&rival).write().unwrap()));
    });
    let rival = parking_lot::RwLock::new(());
    group.bench_function("parking_lot RwLock", |bencher| {
        bencher.iter(|| drop(black_box(&rival).write()));
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
