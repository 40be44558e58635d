use seqschedlock::{RawSeqSchedLock, Spin};

fn main() {
    let section = {
        let lock = RawSeqSchedLock::<Spin>::new();
        lock.write()
    };
    drop(section);
}
