//! The programs of the models, on real threads. They are small, so that a machine with weak memory can
//! run them very often, and Miri, which shows every thread values that are out of date, once per seed.
#![cfg(all(not(loom), feature = "std"))]

use std::hint::spin_loop;
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::thread;

use seqschedlock::{RawSeqSchedLock, Spin};

const ROUNDS: usize = if cfg!(miri) { 1 } else { 20_000 };

/// Two threads run `one` and `other` on the same fresh world, as nearly at the same moment as
/// possible; then `check`. Again and again.
fn race<T: Default + Sync>(one: fn(&T), other: fn(&T), check: fn(&T)) {
    let worlds: Vec<T> = (0..ROUNDS).map(|_| T::default()).collect();
    let arrived = AtomicUsize::new(0);
    // Both wait for both at every world: a meeting is over when twice as many have come to it.
    let meet = |round: usize| {
        arrived.fetch_add(1, Release);
        let mut patience: usize = if cfg!(miri) { 0 } else { 200 };
        while arrived.load(Acquire) < 2 * (round + 1) {
            match patience.checked_sub(1) {
                Some(less) => patience = less,
                None => thread::yield_now(),
            }
            spin_loop();
        }
    };
    thread::scope(|threads| {
        for part in [one, other] {
            let (worlds, meet) = (&worlds, &meet);
            threads.spawn(move || {
                for (round, world) in worlds.iter().enumerate() {
                    meet(round);
                    part(world);
                }
            });
        }
    });
    worlds.iter().for_each(check);
}

#[derive(Default)]
struct Pair {
    lock: RawSeqSchedLock<Spin>,
    sides: [AtomicUsize; 2],
}

#[test]
fn a_validated_look_is_not_torn() {
    race::<Pair>(
        |pair| {
            let _section = pair.lock.write();
            pair.sides[0].store(1, Relaxed);
            pair.sides[1].store(1, Relaxed);
        },
        |pair| {
            let look = || [pair.sides[0].load(Relaxed), pair.sides[1].load(Relaxed)];
            if let Ok([left, right]) = pair.lock.try_read(look) {
                assert_eq!(left, right, "a torn look was validated");
            }
        },
        |pair| assert!(pair.lock.try_read(|| ()).is_ok()),
    );
}

#[derive(Default)]
struct Cache {
    lock: RawSeqSchedLock<Spin>,
    source: AtomicUsize,
    /// 0 if empty, else 1 + the source's version.
    entry: AtomicUsize,
}

#[test]
fn a_writer_sees_what_was_committed() {
    race::<Cache>(
        |cache| {
            let _section = cache.lock.write();
            cache.source.store(1, Relaxed);
            if cache.entry.load(Relaxed) != 0 {
                cache.entry.store(0, Relaxed);
            }
        },
        |cache| {
            let _ = cache.lock.try_publish(
                || {
                    let entry = 1 + cache.source.load(Relaxed);
                    cache.entry.store(entry, Relaxed);
                },
                |()| cache.entry.store(0, Relaxed),
            );
        },
        |cache| {
            let entry = cache.entry.load(Relaxed);
            assert!(entry != 1, "a publication was missed: a stale entry stays");
        },
    );
}

#[cfg(feature = "park")]
#[test]
fn a_reader_that_blocks_is_woken() {
    #[derive(Default)]
    struct World {
        lock: RawSeqSchedLock<seqschedlock::Park>,
        value: AtomicUsize,
    }
    race::<World>(
        |world| {
            let _section = world.lock.write();
            world.value.store(1, Relaxed);
            if cfg!(miri) {
                thread::yield_now(); // so that the reader gets to block
            }
        },
        |world| {
            let (before, after) = world
                .lock
                .read(|| (world.value.load(Relaxed), world.value.load(Relaxed)));
            assert_eq!(before, after);
        },
        |world| assert_eq!(world.lock.writers(), 0),
    );
}

#[cfg(feature = "cell")]
#[test]
fn a_cell_hands_out_whole_values() {
    struct World(seqschedlock::SeqSchedCell<[u64; 3], Spin>);

    impl Default for World {
        fn default() -> Self {
            World(seqschedlock::SeqSchedCell::new([0; 3]))
        }
    }
    race::<World>(
        |world| world.0.store([1; 3]),
        |world| {
            let [first, second, third] = world.0.load();
            assert!(first == second && second == third, "a torn value");
        },
        |world| assert_eq!(world.0.load(), [1; 3]),
    );
}
