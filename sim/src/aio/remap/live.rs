//! The same on the kernel that this runs on.
//!
//! [`Arena`] is a stretch of this process's own address space, far from where the kernel puts anything by itself,
//! in which real rings are moved about. `tests/aio_live.rs` compares what happens there with the model;
//! [`mover_against_destroyer`] plays the story of the model on it.
//!
//! # Safety first
//!
//! A leftover is what stays mapped of a ring when its context is destroyed. The kernel frees the context a little
//! later, and until 2026 an access to a leftover could crash the kernel while it did. So nothing may touch one:
//!
//! - a ring is moved into the arena as soon as it is set up, and nothing else names an address outside;
//! - [`Arena::destroy`] unmaps all leftovers before it returns. They may be moved once, which touches none of their
//!   pages;
//! - no [`fork`](https://man7.org/linux/man-pages/man2/fork.2.html): a child would have the ring of its parent. A
//!   process in which there is an arena starts no other;
//! - no `mseal`: a sealed ring cannot be unmapped.
//!
//! Not every machine has AIO: container filters refuse it, and emulators do not know it. A [`Skip`] then says why.

mod arena;
mod kernel;
mod maps;
mod story;
mod sys;

pub use arena::{Arena, Destroyed, Leftover, Ring};
pub use kernel::{Kernel, Skip};
pub use maps::{Object, Page};
pub use story::mover_against_destroyer;
pub use sys::Error;
