//! A sequence lock whose write sections may sleep.
#![doc = ""]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_docs)]

#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "cell")]
mod cell;
mod conflict;
mod lock;
mod raw;
#[cfg(feature = "sim")]
pub mod sim;
mod striped;
mod sync;
mod wait;
mod word;

#[cfg(feature = "cell")]
pub use cell::{SeqSchedCell, SeqSchedCellGuard};
pub use conflict::{Conflict, Stamp};
pub use lock::{SeqSchedLock, SeqSchedLockWriteGuard};
pub use raw::{RawSeqSchedLock, WriteGuard};
pub use striped::{StripedSeqSchedLock, WriteAllGuard};
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

        #[cfg(feature = "cell")]
        pub mod cell {
            pub use crate::word::cell::{PROVEN, Protocol, with_protocol};
        }
    }
}
