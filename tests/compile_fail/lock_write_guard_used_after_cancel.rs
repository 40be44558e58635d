use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use seqschedlock::{SeqSchedLock, Spin};

fn main() {
    let lock = SeqSchedLock::<AtomicU32, Spin>::new(AtomicU32::new(1));
    let section = lock.write();
    section.cancel();
    section.store(2, Relaxed);
}
