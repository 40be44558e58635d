//! The system calls: all unsafe code of the library, and every ioctl number.
//!
//! This module exports a [`Region`], memory whose faults can be read and served, and a [`Poll`] that waits for
//! faults. `uffd/tests.rs` asserts the kernel behaviour that the policies rely on.

mod abi;
mod descriptor;
mod open;
mod poll;
mod region;
#[cfg(test)]
mod tests;

pub(crate) use descriptor::PageFault;
pub use open::{Unavailable, available};
pub(crate) use poll::{Doorbell, Poll, Ready};
pub(crate) use region::Region;
