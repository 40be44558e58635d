//! The one shim: the policies' locks and atomics, from `core` and `std` or from loom, and their sizes.
//!
//! No other module asks whether loom is in use. It is where both the cfg `loom` and the feature are set, as in
//! `seqschedlock` itself.

pub(crate) use inner::*;

#[cfg_attr(not(all(loom, feature = "loom")), path = "sync/real.rs")]
#[cfg_attr(all(loom, feature = "loom"), path = "sync/model.rs")]
mod inner;
