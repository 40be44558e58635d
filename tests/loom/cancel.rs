//! A cancelled section changed nothing: it disturbs no reader, and hides no other section either.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;
use seqschedlock::{Park, RawSeqSchedLock, Spin};

use crate::explore::explore;

#[test]
pub fn a_stamp_outlives_cancelled_sections() {
    explore(|| {
        let lock = Arc::new(RawSeqSchedLock::<Spin>::new());
        let before = lock.read_begin().unwrap();
        let writers = [(); 2].map(|()| {
            let lock = lock.clone();
            thread::spawn(move || lock.write().cancel())
        });
        for writer in writers {
            writer.join().unwrap();
        }
        assert_eq!(lock.read_end(before), Ok(()));
        assert_eq!(lock.read_commit(before), Ok(()));
    });
}

#[test]
pub fn a_cancelled_section_passes_on_what_an_overlapping_one_wrote() {
    explore(|| {
        let lock = Arc::new(RawSeqSchedLock::<Spin>::new());
        let pair: Arc<[AtomicUsize; 2]> = Arc::default();
        let idle = thread::spawn({
            let lock = lock.clone();
            move || lock.write().cancel()
        });
        let busy = thread::spawn({
            let (lock, pair) = (lock.clone(), pair.clone());
            move || {
                let _section = lock.write();
                pair[0].store(1, Relaxed);
                pair[1].store(1, Relaxed);
            }
        });
        if let Ok((left, right)) = lock.try_read(|| (pair[0].load(Relaxed), pair[1].load(Relaxed)))
        {
            assert_eq!(left, right, "a torn look was validated");
        }
        idle.join().unwrap();
        busy.join().unwrap();
    });
}

#[test]
pub fn a_cancelled_section_wakes_who_waits_for_it() {
    explore(|| {
        let lock = Arc::new(RawSeqSchedLock::<Park>::new());
        let reader = thread::spawn({
            let lock = lock.clone();
            move || {
                let _ = lock.read_begin_wait();
            }
        });
        let busy = thread::spawn({
            let lock = lock.clone();
            move || drop(lock.write())
        });
        lock.write().cancel();
        reader.join().unwrap();
        busy.join().unwrap();
    });
}
