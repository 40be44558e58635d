//! Requests that are retried until they can end: how Linux did asynchronous reads in 2005.
//!
//! A request that would have to wait queues its wait and returns `EIOCBRETRY`. When the event that it waits
//! for happens, an interrupt "kicks" the request: it goes to the run list of its context, and a worker runs
//! it again. Names follow the kernel.
//!
//! # The races
//!
//! The waker deletes the wait, sets the flag `KICKED`, and puts the request on the run list. These are three
//! steps, and it has no reference to the request. Meanwhile the run that queued the wait ends. It sees that
//! no wait is queued, or that `KICKED` is set, and puts the request on the run list itself. The next run may
//! complete the request, and the waker goes on with freed memory. Or the next run may wait for something
//! else, and the waker makes the request run before that has happened.
//!
//! The versions:
//!
//! | | from | |
//! |---|---|---|
//! | [`Y2005`](Version::Y2005) | 2.6.13-rc3 | uses freed requests, retries too early |
//! | [`ONLY_KICK`](Version::ONLY_KICK) | half of the fix | the same |
//! | [`ONLY_DELETION`](Version::ONLY_DELETION) | the other half | retries too early; holds for methods that [look twice](Looks::Twice) |
//! | [`SUZUKI`](Version::SUZUKI) | the patch in the seed, July 2005 | holds, but for two things below |
//! | [`V2_6_14`](Version::V2_6_14) | what was released | holds for methods that [look once](Looks::Once) |
//!
//! What Suzuki's patch leaves open: a method that [looks twice](Looks::Twice) may be retried for nothing,
//! which does no harm; and the waker starts the work after it has unlocked the context, which another
//! thread may have destroyed by then.
//!
//! Synchronous requests have two races of their own, in all versions. The waker sets `KICKED` and then reads
//! from the request which task to wake; the request was on the stack of that task, which may have returned.
//! And a task that has slept leaves `KICKED` set, so that it does not sleep in its next wait.
//!
//! `tests/loom_aio.rs` explores the interleavings of up to three preemptions. It finds each of these races, and
//! none where it says that a version holds. The program `aio` counts them at full speed.
//!
//! ```
//! use seqschedlock_sim::aio::retry::{Kioctx, Looks, RetryMethod, Version};
//!
//! let context = Kioctx::new(Version::SUZUKI);
//! let page_is_read = context.wait_queue();
//! let request = context.io_submit(RetryMethod::new(Looks::Once, &[page_is_read.clone()]));
//! assert!(!request.is_completed());
//!
//! page_is_read.wake_up();
//! context.work();
//! assert!(request.is_completed());
//! assert_eq!(context.take_events(), [(1, 0)]);
//! assert_eq!(context.check(), Ok(()));
//! ```
//!
//! # This crate's lock
//!
//! It does not fit here. Both sides change things. Exactly one of them must queue the request, and the
//! request must live as long as its waker uses it. That is what a mutex is for. There is a kinship
//! elsewhere: `KICKED` plays the part of the wake bit of `Park`, where a reader registers, looks again and
//! sleeps, and a writer clears the bit before it notifies.
//!
//! # What was left out
//!
//! - The ring: completed requests are in a list.
//! - `io_destroy` does not wait for requests under way; it refuses.
//! - A condition that has come true stays true.

mod check;
mod iocb;
mod kick;
mod method;
mod queue;
mod run;
mod synchronous;
mod task;
mod version;
mod violation;
mod witness;

pub use iocb::{Kiocb, Kioctx, RetryMethod, WaitQueue};
pub use method::{End, Looks, Method};
pub use queue::Queue;
pub use run::INTERRUPTED;
pub use version::{RunnerLook, Version};
pub use violation::Violation;
