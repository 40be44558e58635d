//! A pointer is more than its bytes.

use seqschedlock::{SeqSchedCell, Spin};

fn main() {
    SeqSchedCell::<&'static u32, Spin>::new(&7);
}
