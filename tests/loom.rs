//! The protocol, model-checked: `cargo loom` for the packed word, `cargo loom-split` for the other.
//!
//! A model is a function that `explore`s one small program in all its interleavings and asserts what
//! the crate promises. `weakened` runs the same models under protocols that are weaker by one step
//! and expects each of them to fail: what no model needs is not proven, only believed.
#![cfg(loom)]

#[path = "loom/cancel.rs"]
mod cancel;
#[path = "loom/dies.rs"]
mod dies;
#[path = "loom/explore.rs"]
mod explore;
#[path = "loom/fenced.rs"]
mod fenced;
#[path = "loom/gated.rs"]
mod gated;
#[path = "loom/observe.rs"]
mod observe;
#[path = "loom/park.rs"]
mod park;
#[path = "loom/publish.rs"]
mod publish;
#[path = "loom/strategies.rs"]
mod strategies;
#[path = "loom/weakened.rs"]
mod weakened;
