//! A ring that moves: `mremap` against `io_destroy`.
//!
//! `io_setup` maps the ring of a new context wherever there is room, and returns that address: it is the id of
//! the context from then on. Since Linux 3.19 user space may move the ring. It is then found under its new
//! address, and `io_destroy` has to unmap it there.
//!
//! # The race
//!
//! `mremap` calls a hook, which looks the context up in a table and tells it where its ring is now. `io_destroy`
//! takes the context out of the table, then unmaps the ring where the context says that it lies. In the first
//! version, a hook that ran between the two found no context and let the move stand: the ring had moved, something
//! else was mapped at its old place, and `io_destroy` unmapped that. Up to 3.18 there was no hook, and it took no
//! race to get there.
//!
//! | [`Version`] | from | |
//! |---|---|---|
//! | [`NoHook`](Version::NoHook) | up to 3.18 | the new address is no id; `io_destroy` unmaps the old place |
//! | [`Y2014`](Version::Y2014) | e4a0d3e720e7 | shows the race |
//! | [`Y2015`](Version::Y2015) | b2edffdd912b | holds: the hook refuses, and the move is taken back |
//! | [`Y2023`](Version::Y2023) | 81e9d6f86476 | holds, and no longer oopses in a process without contexts |
//! | [`Y2026`](Version::Y2026) | 3adf7ae18bf4, c03ce4173c7b | holds, and a ring moves whole or not at all |
//! | [`Commit`](Version::Commit) | `seqschedlock` | holds |
//!
//! # What the lock is worth here
//!
//! Under [`Commit`](Version::Commit) the mover takes a stamp, moves the ring, publishes its new place and commits;
//! `io_destroy` is a write section. Neither takes `ioctx_lock` because of the other. But `io_destroy` has to hold
//! `mmap_sem` while it reads where the ring lies, or it may read a place that the mover is about to take back
//! (`tests/loom_aio_remap.rs` shows what happens then). And once it does, `mmap_sem` alone keeps the two apart: a
//! model shows that every invariant holds without the commit, too. All that the commit adds is that a ring no longer
//! moves once its destruction has begun. So this use of the lock is correct, and the kernel does not need it.
//!
//! Where the lock does help is the checker: [`Mm::observe`] looks at a process while its threads are at work.
//!
//! # Where the rules are from
//!
//! The rules were taken from Linux 6.18, and `tests/aio_live.rs` compares them with the kernel that it runs on, step
//! by step, in random sequences of calls. [`Rules`] has what differs from kernel to kernel, and [`Steps`] what tests
//! leave out to show that it is noticed.
//!
//! # At full speed
//!
//! [`mover_against_destroyer`] plays the race with real threads, under the rules of any version, and counts the
//! outcomes. `live::mover_against_destroyer`, behind the feature `live`, does the same on the Linux kernel that it
//! runs on.
//!
//! # What was left out
//!
//! - Growth: a ring refuses it (`VM_DONTEXPAND`), here in all versions, though 3.18 did not.
//! - `MREMAP_DONTUNMAP` of memory other than rings, `PROT_EXEC`, `madvise`, `mlock`, `mseal`.
//! - Waiting: `io_getevents` takes what is there. A call that sleeps holds a [`KioCtxRef`].
//! - That the kernel hands out room for requests in portions, one for each CPU.
//! - Words of a page other than the first, but for the header of the ring.
//! - What races with `io_setup` and with the events: that is the story of the ring pages.
//!
//! # What it needs
//!
//! From `std`: threads and mutexes. From the lock: `Park`.

mod areas;
mod calls;
mod census;
mod check;
mod destroy;
mod hook;
mod kioctx;
#[cfg(all(feature = "live", target_os = "linux"))]
pub mod live;
mod mm;
mod mremap;
mod observe;
mod ring_file;
mod story;
mod table;
mod version;

pub use areas::Protection;
pub use calls::Request;
pub use check::{Changed, Page, Snapshot, Violation};
pub use kioctx::KioCtxRef;
pub use mm::Mm;
pub use mremap::{MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE};
pub use ring_file::PAGE_SIZE;
pub use story::{Tally, mover_against_destroyer};
pub use version::{Hook, Rules, Steps, Version};
