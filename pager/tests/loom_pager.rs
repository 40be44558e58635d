//! Models of the pager's policies: no stale page is ever mapped.
//!
//! `cargo loom` and `cargo loom-split` run them, together with the models of the lock.
//!
//! Loom explores the code of the policies, the flights and the gate. The kernel is a model (`kernel.rs`):
//! the page table and the page cache of a file are one small atomic, which changes in single steps, as the
//! kernel changes them under its locks. There is one page, and its content is one number. Models have at
//! most three threads and a bound of 3 preemptions, unless they state another one.
//!
//! A twin is a protocol in which one step is missing or in the wrong place. The models must catch every twin.
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
