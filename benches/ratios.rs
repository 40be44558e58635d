//! How do the contenders compare, ratio by ratio?
//!
//! On a shared machine, two figures taken a second apart differ by what happened in that second. So all
//! contenders are measured in turn, several hundred times, each turn a fraction of a millisecond. A ratio
//! is taken within each round, and the median of the ratios is what counts. Printed: median, lower and
//! upper quartile.

#[path = "bench/interleaved.rs"]
mod interleaved;
#[path = "bench/rivals.rs"]
mod rivals;

use std::hint::black_box;

use interleaved::Contest;
use rivals::Snapshot;
use seqschedlock::{RawSeqSchedLock, Spin};

fn reads<const N: usize>() {
    fn enter<const N: usize, S: Snapshot<N> + 'static>(contest: &mut Contest) {
        let value = S::new([7; N]);
        contest.enter(S::NAME, move || {
            black_box(black_box(&value).load());
        });
    }
    let mut contest = Contest::new(&format!("read {} bytes", N * 8));
    for_each_snapshot!(N, enter(&mut contest));
    contest.run();
}

fn stores<const N: usize>() {
    fn enter<const N: usize, S: Snapshot<N> + 'static>(contest: &mut Contest) {
        let value = S::new([7; N]);
        contest.enter(S::NAME, move || black_box(&value).store(black_box([8; N])));
    }
    let mut contest = Contest::new(&format!("store {} bytes", N * 8));
    for_each_snapshot!(N, enter(&mut contest));
    contest.run();
}

fn sections() {
    let mut contest = Contest::new("write section, nothing inside");
    let rival = seqlock::SeqLock::new(());
    contest.enter("seqlock::SeqLock", move || {
        drop(black_box(&rival).lock_write())
    });
    let lock = RawSeqSchedLock::<Spin>::new();
    contest.enter("RawSeqSchedLock<Spin>", move || {
        drop(black_box(&lock).write())
    });
    let lock = RawSeqSchedLock::<seqschedlock::Park>::new();
    contest.enter("RawSeqSchedLock<Park>", move || {
        drop(black_box(&lock).write())
    });
    let rival = std::sync::Mutex::new(());
    contest.enter("std Mutex", move || drop(black_box(&rival).lock()));
    contest.run();
}

fn main() {
    sections();
    reads::<1>();
    reads::<4>();
    reads::<8>();
    reads::<32>();
    stores::<1>();
    stores::<4>();
    stores::<8>();
    stores::<32>();
}
