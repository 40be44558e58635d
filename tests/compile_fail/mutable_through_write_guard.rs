//! Readers look on, and other writers are in sections of their own.

use seqschedlock::{SeqSchedLock, Spin};

fn main() {
    let lock = SeqSchedLock::<u32, Spin>::new(1);
    let section = lock.write();
    *section = 2;
}
