//! A pager on userfaultfd: real page faults beside real invalidations.
//!
//! `seqschedlock-sim` simulates a page cache, race included. Here the faults come from the kernel. A
//! [`Pager`] maps memory whose pages come from a [`Store`]. It loads each page when it is touched, and
//! takes pages out when they are [invalidated](Pager::invalidate), even while loads of them are under way.
//! Virtual machines are restored this way, and remote memory works this way. The race of 2005 is back: the
//! handler reads the old page, the page is invalidated, and the handler maps the old page.
//!
//! The package uses only the public API of `seqschedlock`. It exists for study, for measurement, and to
//! prove that the API suffices. It is not published, and its public items may change at any time.
//! `docs/pager.md` explains which protocol to use when, and the traps. `cargo run --release -p
//! seqschedlock-pager` runs five policies side by side and counts the stale reads of each.
//!
//! | policy | in a fault | in an invalidation |
//! |---|---|---|
//! | [`Unprotected`] | load, `COPY` | take out, change |
//! | [`RwLock`] | read-locked: load, `COPY` | write-locked: take out, change |
//! | [`PageMutex`] | holding the page's mutex: load, `COPY` | holding the mutexes of all its pages: take out, change |
//! | [`Gate`] | stamp, load; in the gate: `read_end`, `COPY` | in the gate: `write()`; take out, change |
//! | [`Closed`] | stamp, load into the file behind, `read_commit`, `CONTINUE` | `write()`, take out, change |
//!
//! No policy copies the page in, then commits, and takes it back on a conflict, as
//! `seqschedlock_sim::page_cache::Commit` does. `Commit` can do that because it retracts before the pte is
//! set: it takes back a count in `mapcount`, and nobody reads memory through a count. `UFFDIO_COPY` sets
//! the pte itself, so a thread may read the page before any commit. `Gate` therefore validates first, and
//! `Closed` publishes the page where no thread can read it yet.
//!
//! On systems other than Linux this crate is empty.
#![cfg(target_os = "linux")]

mod fault;
mod flights;
mod memory;
mod pager;
mod policy;
mod store;
mod sync;
mod uffd;

pub use fault::{Fault, Served};
pub use flights::{Flight, Flights};
pub use memory::{Memory, Opened, PAGE_SIZE};
pub use pager::{Counts, Failure, Pager, Section};
pub use policy::{Closed, Fenced, Gate, PageMutex, Policy, RwLock, Sections, Unprotected};
pub use store::{FileStore, Slow, Store};
pub use uffd::{Unavailable, available};

// The tests of private items run in processes of their own, too.
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
