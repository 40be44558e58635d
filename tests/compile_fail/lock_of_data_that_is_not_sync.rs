//! Both sides get `&T` at the same time.

use std::cell::Cell;

use seqschedlock::{SeqSchedLock, Spin};

fn main() {
    let lock = SeqSchedLock::<Cell<u32>, Spin>::new(Cell::new(1));
    std::thread::scope(|threads| {
        threads.spawn(|| lock.write().set(2));
    });
}
