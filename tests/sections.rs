//! What read and write sections do to one another.
#![cfg(not(loom))]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use seqschedlock::{Conflict, RawSeqSchedLock, Spin, WriteGuard};

type Lock = RawSeqSchedLock<Spin>;

/// The documented limit.
const MAX_WRITERS: usize = 524_288;

#[test]
fn begin_and_end_tell_success_race_and_a_running_writer_apart() {
    let lock = Lock::new();
    let stamp = lock.read_begin().unwrap();
    assert_eq!(lock.read_end(stamp), Ok(()));
    let section = lock.write();
    assert_eq!(lock.read_begin(), Err(Conflict::WriterRunning));
    assert_eq!(lock.read_end(stamp), Err(Conflict::WriterRunning));
    assert_eq!(lock.read_commit(stamp), Err(Conflict::WriterRunning));
    drop(section);
    assert_eq!(lock.read_end(stamp), Err(Conflict::Race));
    assert_eq!(lock.read_commit(stamp), Err(Conflict::Race));
    assert!(lock.read_begin().is_ok());
}

#[test]
fn a_stamp_stays_dead_after_the_section_that_killed_it() {
    let lock = Lock::new();
    let stamp = lock.read_begin().unwrap();
    drop(lock.write());
    for _ in 0..1000 {
        assert_eq!(lock.read_end(stamp), Err(Conflict::Race));
        let newer = lock.read_begin().unwrap();
        assert_ne!(newer, stamp);
        drop(lock.write());
        assert_eq!(lock.read_end(newer), Err(Conflict::Race));
    }
}

#[test]
fn three_hundred_nested_sections_are_one_for_a_reader() {
    let lock = Lock::new();
    let stamp = lock.read_begin().unwrap();
    let mut sections: Vec<_> = (0..300).map(|_| lock.write()).collect();
    assert_eq!(lock.writers(), 300);
    while let Some(section) = sections.pop() {
        assert_eq!(lock.read_begin(), Err(Conflict::WriterRunning));
        assert_eq!(lock.read_end(stamp), Err(Conflict::WriterRunning));
        drop(section);
        assert_eq!(lock.writers(), sections.len());
    }
    assert_eq!(lock.read_end(stamp), Err(Conflict::Race));
    assert!(lock.read_begin().is_ok());
}

#[test]
fn three_hundred_concurrent_sections_never_wait_for_one_another() {
    let lock = Lock::new();
    let all_in = Barrier::new(301);
    let stamp = lock.read_begin().unwrap();
    thread::scope(|threads| {
        for _ in 0..300 {
            threads.spawn(|| {
                let _section = lock.write();
                all_in.wait(); // deadlocks if any of them waits for another
                all_in.wait();
            });
        }
        all_in.wait();
        assert_eq!(lock.writers(), 300);
        assert_eq!(lock.read_end(stamp), Err(Conflict::WriterRunning));
        all_in.wait();
    });
    assert_eq!(lock.writers(), 0);
    assert_eq!(lock.read_end(stamp), Err(Conflict::Race));
}

#[test]
fn a_section_ends_when_its_writer_unwinds() {
    let lock = Lock::new();
    let stamp = lock.read_begin().unwrap();
    catch_unwind(AssertUnwindSafe(|| {
        let _section = lock.write();
        panic!("halfway through");
    }))
    .unwrap_err();
    assert_eq!(lock.writers(), 0);
    assert_eq!(
        lock.read_end(stamp),
        Err(Conflict::Race),
        "it may have changed something"
    );
    assert!(lock.read_begin().is_ok());
}

#[test]
fn a_section_may_end_on_another_thread() {
    let lock = Lock::new();
    let section = lock.write();
    thread::scope(|threads| {
        threads.spawn(|| {
            assert_eq!(lock.writers(), 1);
            drop(section);
        });
    });
    assert_eq!(lock.writers(), 0);
    assert!(lock.read_begin().is_ok());
}

#[test]
fn a_cancelled_section_makes_no_reader_race() {
    let lock = Lock::new();
    let stamp = lock.read_begin().unwrap();
    lock.write().cancel();
    assert_eq!(lock.read_end(stamp), Ok(()));
    assert_eq!(lock.read_commit(stamp), Ok(()));

    let real = lock.write();
    lock.write().cancel();
    assert_eq!(
        lock.read_end(stamp),
        Err(Conflict::WriterRunning),
        "one still runs"
    );
    drop(real);
    assert_eq!(lock.read_end(stamp), Err(Conflict::Race));
}

#[test]
fn a_forgotten_guard_is_a_section_that_never_ends() {
    let lock = Lock::new();
    std::mem::forget(lock.write());
    assert_eq!(lock.writers(), 1);
    drop(lock.write());
    assert_eq!(lock.read_begin(), Err(Conflict::WriterRunning));
}

#[test]
#[cfg_attr(miri, ignore = "half a million sections take Miri minutes")]
fn one_writer_too_many_panics_and_leaves_the_count_right() {
    let lock = Lock::new();
    let mut sections: Vec<WriteGuard<'_, Spin>> = (0..MAX_WRITERS).map(|_| lock.write()).collect();
    for _ in 0..3 {
        let panic = catch_unwind(AssertUnwindSafe(|| lock.write())).unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(
            message.contains("524288 write sections"),
            "it names the limit: {message}"
        );
        assert_eq!(lock.writers(), MAX_WRITERS);
        assert!(lock.try_write().is_none());
        assert_eq!(lock.writers(), MAX_WRITERS);
    }
    sections.pop();
    sections.push(lock.try_write().expect("there is room for one again"));
    drop(sections);
    assert_eq!(lock.writers(), 0);
    assert!(lock.read_begin().is_ok());
}

#[test]
#[cfg_attr(miri, ignore = "half a million sections take Miri minutes")]
fn threads_that_race_past_the_limit_all_panic_and_leave_the_count_right() {
    let lock = Lock::new();
    let sections: Vec<_> = (0..MAX_WRITERS - 1).map(|_| lock.write()).collect();
    let start = Barrier::new(16);
    let admitted = AtomicUsize::new(0);
    thread::scope(|threads| {
        for _ in 0..16 {
            threads.spawn(|| {
                start.wait();
                let section = catch_unwind(AssertUnwindSafe(|| lock.write()));
                admitted.fetch_add(section.is_ok().into(), Relaxed);
                start.wait(); // nobody leaves before everybody has tried
            });
        }
    });
    assert_eq!(admitted.into_inner(), 1, "only one fits");
    assert_eq!(lock.writers(), MAX_WRITERS - 1);
    drop(sections);
    assert_eq!(lock.writers(), 0);
}

#[test]
fn try_read_looks_once_or_not_at_all() {
    let lock = Lock::new();
    let mut looks = 0;
    assert_eq!(lock.try_read(|| looks += 1), Ok(()));
    let section = lock.write();
    assert_eq!(lock.try_read(|| looks += 1), Err(Conflict::WriterRunning));
    drop(section);
    assert_eq!(looks, 1);
    let raced = lock.try_read(|| {
        looks += 1;
        drop(lock.write());
    });
    assert_eq!((raced, looks), (Err(Conflict::Race), 2));
}

#[test]
fn read_looks_until_it_holds() {
    let lock = Lock::new();
    let mut disturbances = 3;
    let mut looks = 0;
    let found = lock.read(|| {
        looks += 1;
        if disturbances > 0 {
            disturbances -= 1;
            drop(lock.write());
        }
        looks
    });
    assert_eq!(found, 4);
}

#[test]
fn try_publish_retracts_exactly_what_it_published() {
    let lock = Lock::new();
    let mut retracted = None;
    assert_eq!(
        lock.try_publish(|| "kept", |it| retracted = Some(it)),
        Ok("kept")
    );
    assert_eq!(retracted, None);

    let raced = lock.try_publish(
        || {
            drop(lock.write());
            "stale"
        },
        |it| retracted = Some(it),
    );
    assert_eq!((raced, retracted), (Err(Conflict::Race), Some("stale")));

    let section = lock.write();
    let refused = lock.try_publish(|| panic!("looked beside a writer"), |()| ());
    assert_eq!(refused, Err(Conflict::WriterRunning));
    drop(section);

    let mut held = Vec::new();
    let running = lock.try_publish(|| held.push(lock.write()), |()| ());
    assert_eq!(running, Err(Conflict::WriterRunning));
}

#[test]
fn publish_retracts_after_every_conflict_until_it_holds() {
    let lock = Lock::new();
    let mut attempts = 0;
    let mut retracted = Vec::new();
    let published = lock.publish(
        || {
            attempts += 1;
            if attempts < 4 {
                drop(lock.write());
            }
            attempts
        },
        |attempt| retracted.push(attempt),
    );
    assert_eq!((published, retracted), (4, vec![1, 2, 3]));
}

#[test]
fn debug_and_display_tell_the_state_and_never_block() {
    let lock = Lock::new();
    drop(lock.write());
    let section = lock.write();
    assert_eq!(
        format!("{lock:?}"),
        "RawSeqSchedLock { writers: 1, sequence: 1, .. }"
    );
    assert_eq!(format!("{section:?}"), format!("WriteGuard({lock:?})"));
    let told = Conflict::WriterRunning.to_string();
    assert!(told.contains("wait"), "what to do about it: {told}");
    let told = Conflict::Race.to_string();
    assert!(told.contains("try again"), "what to do about it: {told}");
}

#[test]
fn readers_and_writers_together_never_see_half_a_section() {
    const ROUNDS: usize = if cfg!(miri) { 50 } else { 20_000 };
    let lock = Lock::new();
    let pair = [const { AtomicUsize::new(0) }; 2];
    // Writers overlap, but each round is ordered by this: the pair belongs to one at a time.
    let turn = std::sync::Mutex::new(());
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                for _ in 0..ROUNDS {
                    let _section = lock.write();
                    let _mine = turn.lock().unwrap();
                    let next = pair[0].load(Relaxed) + 1;
                    pair[0].store(next, Relaxed);
                    pair[1].store(next, Relaxed);
                }
            });
        }
        threads.spawn(|| {
            let mut latest = 0;
            while latest < 2 * ROUNDS {
                let [left, right] = lock.read(|| [pair[0].load(Relaxed), pair[1].load(Relaxed)]);
                assert_eq!(left, right, "a torn look was validated");
                assert!(left >= latest, "a look went back in time");
                latest = left;
            }
        });
    });
}
