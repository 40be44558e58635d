//! The kernel's side: everything unsafe, and every number of an ioctl.
//!
//! Out of here come a [`Region`], memory whose pages are loaded by whoever reads its faults, and a [`Poll`] that
//! waits for them. What the kernel promises about each step is tested in `uffd/tests.rs`, on the kernel at hand.

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
