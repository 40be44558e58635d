//! A cancelled section changed nothing: it disturbs no reader, and hides no other section either.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use seqschedlock::{Park, RawSeqSchedLock, Spin};

use crate::explore::{explore, join, spawn};

#[test]
pub fn a_stamp_outlives_cancelled_sections() {
    explore(|| {
        let lock = Arc::new(RawSeqSchedLock::<Spin>::new());
        let before = lock.read_begin().unwrap();
        join([(); 2].map(|()| spawn(&lock, |lock| lock.write().cancel())));
        assert_eq!(lock.read_end(before), Ok(()));
        assert_eq!(lock.read_commit(before), Ok(()));
    });
}

#[test]
pub fn a_cancelled_section_passes_on_what_an_overlapping_one_wrote() {
    explore(|| {
        let pair: [AtomicUsize; 2] = Default::default();
        let shared = Arc::new((RawSeqSchedLock::<Spin>::new(), pair));
        let idle = spawn(&shared, |(lock, _)| lock.write().cancel());
        let busy = spawn(&shared, |(lock, pair)| {
            let _section = lock.write();
            pair[0].store(1, Relaxed);
            pair[1].store(1, Relaxed);
        });
        let reader = spawn(&shared, |(lock, pair)| {
            let seen = lock.try_read(|| (pair[0].load(Relaxed), pair[1].load(Relaxed)));
            if let Ok((left, right)) = seen {
                assert_eq!(left, right, "a torn look was validated");
            }
        });
        join([idle, busy, reader]);
    });
}

#[test]
pub fn a_cancelled_section_wakes_its_waiting_reader() {
    explore(|| {
        let lock = Arc::new(RawSeqSchedLock::<Park>::new());
        let reader = spawn(&lock, |lock| {
            let _ = lock.read_begin_wait();
        });
        let busy = spawn(&lock, |lock| drop(lock.write()));
        let idle = spawn(&lock, |lock| lock.write().cancel());
        join([reader, busy, idle]);
    });
}
