//! A ring that moves, model-checked: each historical race really happens, and each answer really closes it.
//!
//! `cargo loom` and `cargo loom-split` run it. With `-- --nocapture` each model says how many executions it took.
//! Bounds are 3 preemptions everywhere, unless a model says otherwise.
//!
//! | | `NoHook` | `Y2014` | `Y2015`, `Y2023`, `Y2026` | `Commit` |
//! |---|---|---|---|---|
//! | move, then destroy | caught | holds | hold | holds |
//! | move / destroy | caught | caught | hold | holds |
//! | destroy / destroy | holds | holds | hold | holds |
//! | moves / lookup, destroy / lookup | | | hold | |
//!
//! The twin of each step shows what the step is for: the same model without it has to fail. Two of them are about
//! the lock of this project. `Commit` leaves the ring if `mmap_base` is read before `mmap_sem`. And once it is
//! read under `mmap_sem`, nothing needs the commit: this twin does not fail, in any interleaving.
#![cfg(loom)]

#[path = "loom_aio/counted.rs"]
mod counted;
#[path = "loom_aio_remap/destroyers.rs"]
mod destroyers;
#[path = "../../tests/loom/explore.rs"]
mod explore;
#[path = "loom_aio_remap/lookup.rs"]
mod lookup;
#[path = "loom_aio_remap/mover.rs"]
mod mover;
#[path = "loom_aio_remap/observer.rs"]
mod observer;
#[path = "loom_aio_remap/world.rs"]
mod world;
