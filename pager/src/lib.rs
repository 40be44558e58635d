//! A pager on userfaultfd: page faults that are real, beside invalidations that are real.
//!
//! A guest in the house of the lock, as `seqschedlock-sim` is: it is built on what `seqschedlock` exports and on
//! nothing else of it. There the page cache is simulated, race and all. Here the faults are the kernel's: a
//! [`Pager`] maps memory whose pages come from a [`Store`], loads each when it is touched, and forgets those that
//! are [invalidated](Pager::invalidate), while loads of them are under way. That is what a virtual machine is
//! restored with, what remote memory is made of, and where the race of 2005 is met again: the handler has read
//! the old page, the page is invalidated, the handler maps what it has.
//!
//! It is here for study, for measurement, and to prove that the lock's public API suffices; it is not published, and
//! what is public in it may change at any time. `docs/pager.md` says which protocol to take when, and what to
//! mind. `cargo run --release -p seqschedlock-pager` runs five policies side by side and counts what went wrong
//! under each.
//!
//! | policy | in a fault | in an invalidation |
//! |---|---|---|
//! | [`Unprotected`] | load, `COPY` | take out, change |
//! | [`RwLock`] | the same, the lock shared over both | the lock alone over both |
//! | [`PageMutex`] | the same, the page's mutex over both | the mutexes of all its pages over both |
//! | [`Gate`] | stamp, load; in the gate: `read_end`, `COPY` | in the gate: `write()`; take out, change |
//! | [`Closed`] | stamp, load into the file behind, `read_commit`, `CONTINUE` | `write()`, take out, change |
//!
//! Why is there no policy that copies the page in, then commits, and takes it back on a conflict, as
//! `seqschedlock_sim::page_cache::Commit` does? `Commit` retracts before the pte is set: what it takes back is a
//! count in `mapcount`, which nobody reads memory through. `UFFDIO_COPY` sets the pte itself, so there is no step
//! between publishing and being read that a commit could stand in; `Gate` validates before it, and `Closed`
//! publishes where there is such a step.
//!
//! On other systems than Linux this crate is empty.
#![cfg(target_os = "linux")]

mod fault;
mod flights;
mod gated_lock;
mod memory;
mod pager;
mod policy;
mod store;
mod sync;
mod uffd;

pub use fault::{Fault, Served};
pub use flights::{Flight, Flights};
pub use gated_lock::GatedLock;
pub use memory::{Memory, Opened, PAGE_SIZE};
pub use pager::{Counts, Failure, Pager, Section};
pub use policy::{Closed, Fenced, Gate, PageMutex, Policy, RwLock, Sections, Unprotected};
pub use store::{FileStore, Slow, Store};
pub use uffd::{Unavailable, available};

// The tests of what is not public run in processes of their own, too.
#[cfg(test)]
extern crate self as seqschedlock_pager;
#[cfg(test)]
#[path = "../tests/pager/isolated.rs"]
mod isolated;
#[cfg(test)]
#[path = "../tests/pager/permitted.rs"]
mod permitted;
#[cfg(test)]
#[path = "../tests/pager/sigbus.rs"]
mod sigbus;
