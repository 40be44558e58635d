//! Padding has no value that could be copied while it changes.

use bytemuck::NoUninit;
use seqschedlock::{SeqSchedCell, Spin};

#[derive(Clone, Copy)]
#[repr(C)]
struct Padded {
    small: u8,
    large: u64,
}

#[derive(Clone, Copy, NoUninit)]
#[repr(C)]
struct PaddedAndDerived {
    small: u8,
    large: u64,
}

fn main() {
    SeqSchedCell::<Padded, Spin>::new(Padded { small: 1, large: 2 });
    SeqSchedCell::<PaddedAndDerived, Spin>::new(PaddedAndDerived { small: 1, large: 2 });
}
