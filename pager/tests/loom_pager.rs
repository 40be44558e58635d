//! The pager's policies, model-checked: no stale page is ever mapped, and what each step of them is for.
//!
//! `cargo loom` and `cargo loom-split` run it, after the models of the lock itself.
//!
//! What is explored is the code of the policies, flights and gate. The kernel is modelled: a page table and the page
//! cache of a file are one small atomic (`kernel.rs`), changed in single steps as the kernel changes them under its
//! locks. There is one page, and it holds one number. Threads are three at most, bounds are 3 preemptions, unless
//! a model says otherwise.
//!
//! Each twin is a protocol with one step left out, or in the wrong place. Each must be caught.
#![cfg(all(loom, target_os = "linux"))]

#[path = "loom_pager/closed.rs"]
mod closed;
#[path = "../../tests/loom/explore.rs"]
mod explore;
#[path = "loom_pager/flights.rs"]
mod flights;
#[path = "loom_pager/gate.rs"]
mod gate;
#[path = "loom_pager/kernel.rs"]
mod kernel;
#[path = "loom_pager/rivals.rs"]
mod rivals;
#[path = "loom_pager/world.rs"]
mod world;
