use seqschedlock::{RawSeqSchedLock, Spin};

fn main() {
    let lock = RawSeqSchedLock::<Spin>::new();
    let section = lock.write();
    section.cancel();
    drop(section);
}
