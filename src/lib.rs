//! A sequence lock whose write sections may sleep.
#![doc = ""]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_docs)]

#[cfg(feature = "std")]
extern crate std;

mod conflict;
mod raw;
#[cfg(feature = "sim")]
pub mod sim;
mod sync;
mod wait;
mod word;

pub use conflict::{Conflict, Stamp};
pub use raw::{RawSeqSchedLock, WriteGuard};
#[cfg(feature = "park")]
pub use wait::Park;
#[cfg(feature = "std")]
pub use wait::Yield;
pub use wait::{Spin, Wait, Writers};

sync::for_models! {
    /// What the models replace to show what it is for.
    #[doc(hidden)]
    pub mod model {
        pub use crate::word::{PROVEN, Protocol, with_protocol};
    }
}
