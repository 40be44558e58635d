//! The one shim: what the policies take from `core` and `std`, or from loom when they are model-checked,
//! and how large they are there.
//!
//! No other room asks whether loom is there. It is where both the cfg `loom` and the feature are, as in
//! `seqschedlock` itself.

pub(crate) use inner::*;

#[cfg_attr(not(all(loom, feature = "loom")), path = "sync/real.rs")]
#[cfg_attr(all(loom, feature = "loom"), path = "sync/model.rs")]
mod inner;
