//! The ring in which a process finds the results of its requests, and what moves its pages.
//!
//! A context has a ring of pages. The kernel puts events in at the tail, from interrupts; the process takes
//! them out at the head, by `io_getevents`. In 2013 the pages became movable: memory compaction may copy a
//! page elsewhere at any time, and switch the ring to the copy. Names follow the kernel.
//!
//! # The races
//!
//! A reader looks up the first page, reads events, and writes the new head there. If the page was copied in
//! between, the head goes to the old page, where nobody looks any more, and the same events are read again.
//! If the old page has been freed by then, the reader uses memory that belongs to somebody else. Setup has
//! the same race with the id of the ring. And a context can be freed while one of its pages is being moved.
//!
//! It took four drafts in March 2014 to close these races, and the patch in the seed between them. The
//! stages are [`Version`]s here:
//!
//! | | from | |
//! |---|---|---|
//! | [`Y2013`](Version::Y2013) | 8e321fefb0e6, 2013 | loses heads and ids, uses freed pages, puts pages twice |
//! | [`V1`](Version::V1) | first draft: migrations wait for `ring_lock` | deadlocks with a reader that faults; loses ids, puts pages twice |
//! | [`V2`](Version::V2) | second draft, by Benjamin LaHaise | frees a context twice |
//! | [`SEED`](Version::SEED) | the patch in the seed, by Linus Torvalds | frees a context twice |
//! | [`SEED_TRYGET`](Version::SEED_TRYGET) | the same with a `tryget` | holds |
//! | [`MERGED`](Version::MERGED) | fa8a53c39f3f, 2014 | holds |
//! | [`COMMIT`](Version::COMMIT) | `seqschedlock` | holds, and is not worth it |
//!
//! `tests/loom_aio.rs` explores the interleavings of up to three preemptions. It finds each of these races, and
//! none where it says that a version holds. The program `aio` counts them at full speed.
//!
//! ```
//! use seqschedlock_sim::aio::ring::{Buffer, Mm, Receipts, Version};
//!
//! let process = Mm::new(Version::MERGED);
//! let id = process.io_setup(100)?;
//! let context = process.context(id)?;
//! context.io_submit()?.complete(1);
//!
//! process.compact(0)?; // moves the page, and the event with it
//!
//! let mut receipts = Receipts::default();
//! receipts.receive(&context.read_events(10, Buffer::Present)?);
//! assert_eq!(receipts.check(1), Ok(()));
//! drop(context);
//! process.io_destroy(id)?;
//! assert_eq!(process.check(), Ok(()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Lifetimes
//!
//! A page or context that is freed is only marked. If it is used afterwards, that is reported, and nothing
//! crashes. A report stops nothing: [`Mm::findings`] counts them all. A thread that would sleep for ever
//! reports the deadlock and answers [`Errno::Deadlock`](super::Errno::Deadlock).
//!
//! # What was left out
//!
//! - Events have only their `data`, and the header has only what changes after setup. User space reads the
//!   ring through system calls, not in place.
//! - Readers do not wait for events.
//! - The references of ptes. A migration removes them before the count is compared.
//! - RCU. A lookup takes `ioctx_lock` instead, and the last user of a context frees it once it holds no lock.
//! - Per-CPU counters of free slots. So the ring is as large as asked for, not twice as large.
//! - The read barrier came only in 3.17. All versions here have it, so that each race shows alone.

mod check;
mod complete;
mod context;
mod file;
mod handle;
mod migrate;
mod mm;
mod page;
mod read;
mod receipts;
mod setup;
mod teardown;
mod version;
mod violation;
mod witness;

pub use complete::Iocb;
pub use handle::ContextRef;
pub use mm::Mm;
pub use read::Buffer;
pub use receipts::Receipts;
pub use setup::Trouble;
pub use version::{GetContext, Migrate, Read, Setup, Teardown, Version};
pub use violation::Violation;
