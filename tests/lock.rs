//! `SeqSchedLock`: both sides reach the data, and only what a section vouches for gets out.
#![cfg(not(loom))]

use core::cell::Cell;
use core::fmt::Debug;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::Mutex;
use std::thread;

use seqschedlock::{Conflict, SeqSchedLock, SeqSchedLockWriteGuard, Spin};
use static_assertions::{assert_impl_all, assert_not_impl_any};

type Pair = [AtomicU64; 2];

assert_impl_all!(SeqSchedLock<Pair, Spin>: Send, Sync, Default, Debug, From<Pair>);
assert_impl_all!(SeqSchedLockWriteGuard<'_, Pair, Spin>: Send, Sync, Debug, core::ops::Deref<Target = Pair>);
assert_not_impl_any!(SeqSchedLockWriteGuard<'_, Pair, Spin>: core::ops::DerefMut, Clone);
assert_not_impl_any!(SeqSchedLock<Cell<u32>, Spin>: Sync);
assert_not_impl_any!(SeqSchedLockWriteGuard<'_, Cell<u32>, Spin>: Send, Sync);
// Shared data that may not be moved to another thread stays shareable only.
assert_impl_all!(SeqSchedLock<std::sync::MutexGuard<'static, u8>, Spin>: Sync);
assert_not_impl_any!(SeqSchedLock<std::sync::MutexGuard<'static, u8>, Spin>: Send);

fn pair(value: u64) -> SeqSchedLock<Pair, Spin> {
    SeqSchedLock::new([value, value].map(AtomicU64::new))
}

fn values(pair: &Pair) -> [u64; 2] {
    [pair[0].load(Relaxed), pair[1].load(Relaxed)]
}

#[test]
fn a_writer_and_a_reader_hold_the_data_at_the_same_time() {
    let lock = pair(1);
    let section = lock.write();
    assert_eq!(lock.try_read(values), Err(Conflict::WriterRunning));
    section[0].store(2, Relaxed);
    assert_eq!(values(lock.unvalidated()), [2, 1]);
    section[1].store(2, Relaxed);
    drop(section);
    assert_eq!(lock.read(values), [2, 2]);
}

#[test]
fn a_look_that_a_section_ran_through_is_repeated() {
    let lock = pair(1);
    let looks = Cell::new(0);
    let found = lock.read(|data| {
        looks.set(looks.get() + 1);
        let first = data[0].load(Relaxed);
        if looks.get() == 1 {
            let section = lock.write();
            section[0].store(2, Relaxed);
            section[1].store(2, Relaxed);
        }
        [first, data[1].load(Relaxed)]
    });
    assert_eq!((found, looks.get()), ([2, 2], 2));
}

#[test]
fn try_read_gives_up_after_one_look() {
    let lock = pair(1);
    assert_eq!(lock.try_read(|_| drop(lock.write())), Err(Conflict::Race));
    assert_eq!(lock.try_read(values), Ok([1, 1]));
}

#[test]
fn a_look_may_return_a_reference_into_the_data() {
    let lock = pair(7);
    let first: &AtomicU64 = lock.read(|data| &data[0]);
    assert_eq!(first.load(Relaxed), 7);
}

#[test]
fn a_publication_that_a_section_ran_through_is_retracted_and_repeated() {
    let lock = SeqSchedLock::<_, Spin>::new(Mutex::new(Vec::new()));
    let attempts = Cell::new(0);
    let retracted = Cell::new(0);
    let published = lock.publish(
        |data| {
            attempts.set(attempts.get() + 1);
            data.lock().unwrap().push(attempts.get());
            if attempts.get() == 1 {
                drop(lock.write());
            }
            attempts.get()
        },
        |data, published| {
            retracted.set(published);
            data.lock().unwrap().retain(|&entry| entry != published);
        },
    );
    assert_eq!((published, retracted.get()), (2, 1));
    assert_eq!(lock.into_inner().into_inner().unwrap(), [2]);
}

#[test]
fn try_publish_retracts_and_gives_up() {
    let lock = pair(0);
    let outcome = lock.try_publish(
        |data| {
            data[0].store(9, Relaxed);
            drop(lock.write());
            &data[0]
        },
        |data, slot| {
            assert!(core::ptr::eq(slot, &data[0]));
            slot.store(0, Relaxed);
        },
    );
    assert_eq!(outcome.unwrap_err(), Conflict::Race);
    assert_eq!(values(lock.unvalidated()), [0, 0]);

    let section = lock.write();
    let outcome = lock.try_publish(|_| panic!("must not be called"), |_, ()| ());
    assert_eq!(outcome, Err(Conflict::WriterRunning));
    drop(section);
    assert_eq!(lock.try_publish(|_| 5, |_, _| ()), Ok(5));
}

#[test]
fn a_cancelled_section_races_with_nobody() {
    let lock = pair(0);
    let stamp = lock.raw().read_begin().unwrap();
    lock.write().cancel();
    assert_eq!(lock.raw().read_commit(stamp), Ok(()));
    drop(lock.write());
    assert_eq!(lock.raw().read_commit(stamp), Err(Conflict::Race));
}

#[test]
fn sections_overlap_and_the_last_one_lets_readers_in() {
    let lock = pair(0);
    let (one, other) = (lock.write(), lock.write());
    assert_eq!(lock.raw().writers(), 2);
    drop(one);
    assert_eq!(lock.try_read(values), Err(Conflict::WriterRunning));
    drop(other);
    assert_eq!(lock.try_read(values), Ok([0, 0]));
}

#[test]
fn a_section_that_panics_ends() {
    let lock = pair(0);
    std::panic::catch_unwind(AssertUnwindSafe(|| {
        let section = lock.write();
        section[0].store(1, Relaxed);
        panic!("half way");
    }))
    .unwrap_err();
    assert_eq!(lock.read(values), [1, 0]);
}

#[test]
fn data_may_be_unsized() {
    let lock: &SeqSchedLock<[AtomicU64], Spin> = &pair(3);
    let section = lock.write();
    section[1].store(4, Relaxed);
    drop(section);
    assert_eq!(lock.read(|data| data[data.len() - 1].load(Relaxed)), 4);
}

#[test]
fn a_stamp_from_before_the_sole_owner_changed_the_data_does_not_hold() {
    let mut lock: SeqSchedLock<Pair, Spin> = [AtomicU64::new(1), AtomicU64::new(1)].into();
    let stamp = lock.raw().read_begin().unwrap();
    *lock.get_mut()[0].get_mut() = 5;
    assert_eq!(lock.raw().read_end(stamp), Err(Conflict::Race));
    assert_eq!(lock.into_inner().map(AtomicU64::into_inner), [5, 1]);
}

#[test]
fn debug_prints_while_a_section_runs() {
    let lock = SeqSchedLock::<AtomicUsize, Spin>::default();
    let section = lock.write();
    section.store(3, Relaxed);
    assert_eq!(
        format!("{lock:?}"),
        "SeqSchedLock { lock: RawSeqSchedLock { writers: 1, sequence: 0, .. }, data: 3 }"
    );
    assert!(format!("{section:?}").contains("data: 3"));
}

#[test]
fn readers_never_see_half_of_a_section() {
    const SECTIONS: u64 = if cfg!(miri) { 50 } else { 20_000 };
    const READS: usize = if cfg!(miri) { 5 } else { 1_000 };
    let lock = pair(0);
    let done = AtomicBool::new(false);
    let seen = AtomicUsize::new(0);
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while !done.load(Relaxed) {
                    if let Ok([first, second]) = lock.try_read(values) {
                        assert_eq!(first, second);
                        seen.fetch_add(1, Relaxed);
                    }
                }
            });
        }
        // At least a few thousand sections, and until readers have got through between them.
        let mut value = 0;
        while value < SECTIONS || (seen.load(Relaxed) < READS && value < 200_000_000) {
            value += 1;
            let section = lock.write();
            section[0].store(value, Relaxed);
            section[1].store(value, Relaxed);
            drop(section);
            if value % 64 == 0 {
                thread::yield_now();
            }
        }
        done.store(true, Relaxed);
    });
    assert!(seen.load(Relaxed) >= READS);
}
