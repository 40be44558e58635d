//! `StripedSeqSchedLock`: one stripe for each key, all stripes at once, and how often two keys meet.
#![cfg(not(loom))]

use core::hash::Hash;
use core::ptr;

use proptest::prelude::*;
use seqschedlock::{Conflict, Spin, StripedSeqSchedLock, WriteAllGuard, WriteRangeGuard};
use static_assertions::assert_impl_all;

assert_impl_all!(StripedSeqSchedLock<Spin>: Send, Sync, Default, core::fmt::Debug);
assert_impl_all!(WriteAllGuard<'_, Spin, 64>: Send, Sync, core::fmt::Debug);
assert_impl_all!(WriteRangeGuard<'_, Spin, 64>: Send, Sync, core::fmt::Debug);
#[cfg(feature = "park")]
assert_impl_all!(StripedSeqSchedLock<seqschedlock::Park, 1>: Send, Sync);

/// What the documentation promises for `writers` sections of other keys on `N` stripes.
fn formula<const N: usize>(writers: usize) -> f64 {
    1.0 - (1.0 - 1.0 / N as f64).powi(writers as i32)
}

/// A small generator (SplitMix64): the measurement is the same on every run.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// How often a read section of one key meets a write section though none runs on that key.
fn measured<const N: usize, K: Hash + PartialEq>(writers: usize, key: &impl Fn(u64) -> K) -> f64 {
    const ROUNDS: usize = 20_000;
    let stripes = StripedSeqSchedLock::<Spin, N>::new();
    let mut draws = Draws(7);
    let mut conflicts = 0;
    for _ in 0..ROUNDS {
        let ours = key(draws.next());
        let mut sections = Vec::new();
        while sections.len() < writers {
            let theirs = key(draws.next());
            if theirs != ours {
                sections.push(stripes.for_key(&theirs).write());
            }
        }
        conflicts += usize::from(stripes.for_key(&ours).try_read(|| ()).is_err());
    }
    conflicts as f64 / ROUNDS as f64
}

fn assert_formula_holds<const N: usize, K: Hash + PartialEq>(kind: &str, key: impl Fn(u64) -> K) {
    for writers in [1, 4, 16] {
        let (expected, seen) = (formula::<N>(writers), measured::<N, K>(writers, &key));
        // Four standard deviations of that many draws are 0.0141 at most. A hash that leaves half
        // of the stripes empty is more than 0.015 away for one of these numbers of writers.
        assert!(
            (expected - seen).abs() < 0.015,
            "{kind}, N = {N}, {writers} writers: {seen:.4} of the readers met one, not {expected:.4}"
        );
    }
}

#[test]
#[cfg_attr(miri, ignore = "statistics take Miri hours, and show it nothing")]
fn false_conflicts_are_as_frequent_as_the_formula_says() {
    assert_formula_holds::<64, _>("page numbers", |draw| draw % 100_000);
    assert_formula_holds::<64, _>("addresses of pages", |draw| (draw % 100_000) << 12);
    assert_formula_holds::<64, _>("high bits only", |draw| draw << 44);
    assert_formula_holds::<64, _>("floating-point bits", |draw| {
        ((draw % 100_000) as f64).to_bits()
    });
    assert_formula_holds::<64, _>("inode and page", |draw| ((draw % 500) as u32, draw % 300));
    assert_formula_holds::<64, _>("names", |draw| format!("user:{}", draw % 100_000));
    assert_formula_holds::<2, _>("two stripes", |draw| draw % 100_000);
    assert_formula_holds::<16, _>("16 stripes", |draw| draw % 100_000);
    assert_formula_holds::<256, _>("256 stripes", |draw| draw % 100_000);
    assert_formula_holds::<1024, _>("1024 stripes", |draw| draw % 100_000);
}

#[test]
fn a_single_stripe_serves_every_key() {
    let stripes = StripedSeqSchedLock::<Spin, 1>::new();
    assert!(ptr::eq(stripes.for_key("one"), stripes.for_key(&2)));
    assert!(ptr::eq(stripes.for_index(0), stripes.for_index(usize::MAX)));
}

#[test]
fn indices_wrap_around_the_stripes() {
    let stripes = StripedSeqSchedLock::<Spin, 8>::new();
    for index in 0..8 {
        assert!(ptr::eq(
            stripes.for_index(index),
            stripes.for_index(index + 8)
        ));
        let section = stripes.for_index(index).write();
        let conflicts = (0..8).filter(|&other| stripes.for_index(other).read_begin().is_err());
        assert_eq!(conflicts.collect::<Vec<_>>(), [index]);
        drop(section);
    }
}

#[test]
fn stripes_share_no_cache_line() {
    let stripes = StripedSeqSchedLock::<Spin, 2>::new();
    let [one, other] = [0, 1].map(|index| ptr::from_ref(stripes.for_index(index)).addr());
    // The length of a line there; most machines have 64 bytes, and some more.
    let line = if cfg!(target_arch = "arm") { 32 } else { 64 };
    assert!(other - one >= line);
}

#[test]
fn write_all_conflicts_with_every_key() {
    let stripes = StripedSeqSchedLock::<Spin>::new();
    let stamps: Vec<_> = (0..64)
        .map(|index| stripes.for_index(index).read_begin().unwrap())
        .collect();

    let section = stripes.write_all();
    assert!(
        format!("{stripes:?}").contains("writers: 64"),
        "{stripes:?}"
    );
    for index in 0..64 {
        assert_eq!(
            stripes.for_index(index).read_begin(),
            Err(Conflict::WriterRunning)
        );
    }
    drop(section);

    for (index, stamp) in stamps.into_iter().enumerate() {
        assert_eq!(
            stripes.for_index(index).read_commit(stamp),
            Err(Conflict::Race)
        );
        assert!(stripes.for_index(index).read_begin().is_ok());
    }
}

#[test]
fn write_range_begins_one_section_on_each_stripe_it_meets() {
    let stripes = StripedSeqSchedLock::<Spin, 4>::new();
    assert_eq!(stripes.len(), 4);
    let writers = || [0, 1, 2, 3].map(|index| stripes.for_index(index).writers());

    let section = stripes.write_range([6, 2, 3, 10]); // 2 three times
    assert_eq!(writers(), [0, 0, 1, 1]);
    assert_eq!((section.len(), section.is_empty()), (2, false));
    assert_eq!(format!("{section:?}"), "WriteRangeGuard { stripes: 2, .. }");
    drop(section);
    assert_eq!(writers(), [0; 4]);

    let section = stripes.write_range(7..9);
    assert_eq!(writers(), [1, 0, 0, 1]);
    drop(section);
    let section = stripes.write_range(0..usize::MAX);
    assert_eq!(writers(), [1; 4]);
    drop(section);
    assert!(stripes.write_range([]).is_empty());
}

#[test]
fn a_cancelled_write_range_races_with_nobody() {
    let stripes = StripedSeqSchedLock::<Spin, 4>::new();
    let stamp = stripes.for_index(1).read_begin().unwrap();
    stripes.write_range(0..3).cancel();
    assert_eq!(stripes.for_index(1).read_end(stamp), Ok(()));
    drop(stripes.write_range(2..4));
    assert_eq!(
        stripes.for_index(1).read_end(stamp),
        Ok(()),
        "another stripe"
    );
    drop(stripes.write_range(0..2));
    assert_eq!(stripes.for_index(1).read_end(stamp), Err(Conflict::Race));
}

#[test]
fn a_key_has_the_index_of_its_stripe() {
    let stripes = StripedSeqSchedLock::<Spin>::new();
    for key in ["from", "to", ""] {
        let index = stripes.index_for_key(key);
        assert!(index < stripes.len());
        assert!(ptr::eq(stripes.for_index(index), stripes.for_key(key)));
    }
}

#[test]
fn a_section_on_all_stripes_tells_how_many() {
    let stripes = StripedSeqSchedLock::<Spin, 4>::new();
    let section = stripes.write_all();
    assert_eq!(format!("{section:?}"), "WriteAllGuard { stripes: 4, .. }");
}

#[test]
fn a_cancelled_write_all_races_with_nobody() {
    let stripes = StripedSeqSchedLock::<Spin, 4>::new();
    let stamps = [0, 1, 2, 3].map(|index| stripes.for_index(index).read_begin().unwrap());
    stripes.write_all().cancel();
    for (index, stamp) in stamps.into_iter().enumerate() {
        assert_eq!(stripes.for_index(index).read_end(stamp), Ok(()));
    }
}

#[test]
#[cfg_attr(miri, ignore = "half a million sections take Miri minutes")]
fn write_all_that_meets_a_full_stripe_leaves_no_section_behind() {
    let stripes = StripedSeqSchedLock::<Spin, 4>::new();
    let full: Vec<_> = (0..524_288).map(|_| stripes.for_index(2).write()).collect();
    std::panic::catch_unwind(|| drop(stripes.write_all())).unwrap_err();
    assert_eq!(
        [0, 1, 2, 3].map(|index| stripes.for_index(index).writers()),
        [0, 0, 524_288, 0]
    );
    drop(full);
    assert_eq!(stripes.for_index(2).writers(), 0);
}

proptest! {
    #[test]
    fn equal_keys_find_the_same_stripe(name in ".*", number: u64, bytes: Vec<u8>) {
        let (one, other) = (StripedSeqSchedLock::<Spin>::new(), StripedSeqSchedLock::<Spin>::new());
        let offset = |lock: &StripedSeqSchedLock<Spin>, stripe| {
            ptr::from_ref::<seqschedlock::RawSeqSchedLock<Spin>>(stripe).addr() - ptr::from_ref(lock).addr()
        };
        prop_assert_eq!(offset(&one, one.for_key(&name)), offset(&other, other.for_key(name.as_str())));
        prop_assert_eq!(offset(&one, one.for_key(&number)), offset(&other, other.for_key(&number)));
        prop_assert_eq!(offset(&one, one.for_key(&bytes)), offset(&other, other.for_key(&bytes[..])));
    }
}
