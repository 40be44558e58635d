use seqschedlock::{SeqSchedCell, Spin};

fn main() {
    let cell = SeqSchedCell::<u32, Spin>::new(1);
    let mut guard = cell.lock();
    guard.discard();
    *guard = 2;
}
