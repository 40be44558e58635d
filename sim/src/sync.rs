//! The one shim: what the systems use from `core` and `std`, or from loom when they are model-checked,
//! and how large they are there.
//!
//! No other module asks about loom. It is used where both the cfg `loom` and the feature are set, as in
//! `seqschedlock` itself.

pub(crate) use inner::*;

#[cfg_attr(not(all(loom, feature = "loom")), path = "sync/real.rs")]
#[cfg_attr(all(loom, feature = "loom"), path = "sync/model.rs")]
mod inner;
