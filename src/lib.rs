//! A sequence lock whose write sections may sleep.
//!
//! Somebody fills a cache while somebody else invalidates it. The filler looks at the source, the
//! source changes, the invalidator clears the cache, the filler puts in what it saw: from now on the
//! cache serves a value that is no longer true, and nothing will ever correct it. A lock around it all
//! would help, but the source is slow and readers are many. What is wanted is a way to *notice*.
//!
//! That is what this lock does. Writers count themselves in and out; a section may take long, sleep,
//! be held across an `.await`, and overlap other sections. Readers take a [`Stamp`], work, and check
//! it. They only load: no reader that gets through delays another, or a writer. (One that chooses to
//! block sets a bit and enters a queue, and the last writer out wakes it.) Eight bytes, no
//! allocation, no `std`.
//!
//! ```
//! use seqschedlock::{RawSeqSchedLock, Spin};
//! # use std::{collections::HashMap, sync::Mutex};
//! # let source = Mutex::new(7);
//! # let cache = Mutex::new(HashMap::new());
//! # let key = "key";
//! let lock = RawSeqSchedLock::<Spin>::new();
//!
//! // Fill: look, publish, then validate what was published.
//! let filled = lock.try_publish(
//!     || {
//!         let value = *source.lock().unwrap();         // slow
//!         cache.lock().unwrap().insert(key, value);
//!         value
//!     },
//!     |value| {                                        // somebody invalidated meanwhile:
//!         let mut cache = cache.lock().unwrap();       // take back what is ours, or equal to it
//!         if cache.get(key) == Some(&value) {
//!             cache.remove(key);
//!         }
//!     },
//! );
//!
//! // Invalidate: remove and change, both in one section.
//! let section = lock.write();
//! cache.lock().unwrap().remove(key);                   // first: see "Using it right"
//! *source.lock().unwrap() += 1;                        // may take long, may fail
//! drop(section);
//! # assert_eq!(filled, Ok(7));
//! ```
//!
//! # Which check when
//!
//! | the reader | checks with | or, as a whole |
//! |---|---|---|
//! | only looked | [`read_end`](RawSeqSchedLock::read_end) | [`read`](RawSeqSchedLock::read), [`try_read`](RawSeqSchedLock::try_read) |
//! | made something visible to others | [`read_commit`](RawSeqSchedLock::read_commit), *after* it did | [`publish`](RawSeqSchedLock::publish), [`try_publish`](RawSeqSchedLock::try_publish) |
//!
//! Validating first and publishing then is the mistake that everybody makes: a whole write section
//! fits between the two.
//!
//! # Using it right
//!
//! - Take the stamp *before* the source is consulted.
//! - Begin the write section before the source changes, and hold it until the change is done and the stale
//!   entry is gone. A counter that is bumped at one end only misses a fill that starts after the bump; a
//!   flag alone misses a section that begins and ends within one fill.
//! - Remove the entry first, then change the source. Fills that overlap the section fail, so no old value
//!   comes back; and ending a section is not invalidating: one that is cut short between the two (by a
//!   panic, a `?`, a future that is dropped) would leave the stale entry behind for ever. If something is
//!   put there without this fence, only a removal *after* the change takes it out: then remove twice.
//! - Where the change may still take effect afterwards (a request that timed out, a query that goes on when
//!   its future is dropped), hold the section until the outcome is known: run both in a task of their own.
//! - Retract only what this attempt published, not what somebody newer put there.
//! - Between publish and retract others can find the entry, and it may be stale. Where a hit must not
//!   be, publish it closed and open it after success (a flag in the entry that hits look at), or
//!   validate inside a lock of your own that writers take after [`write`](RawSeqSchedLock::write).
//! - Wait with nothing in hand that a writer may need: no write section of any lock (two stripes may be
//!   one), no lock that writers take inside theirs, no thread of an executor whose tasks hold sections
//!   across `.await` (there: the `_async` forms). With any of them in hand use the `try_` forms.
//! - After a few conflicts serve the value uncached, or take a lock of your own: that bounds the work.
//!
//! # What it does not do
//!
//! - It keeps nobody from looking. What is read while a writer runs must tolerate that: atomics,
//!   concurrent maps, files, `SeqSchedCell` for plain data.
//! - It does not count readers. Writers never wait for them, so it is no means to know that
//!   everybody has let go of something: reclaim memory by other means.
//! - It is not fair. Enough writers can keep a reader from ever getting through, if the reader lets them.
//! - Writers do not exclude one another. (Those of a `SeqSchedCell` do.)
//! - A guard that is [forgotten](core::mem::forget) is a section that never ends: safe, and readers
//!   wait for ever. So does a reader that waits inside its own write section.
//!
//! # Limits
//!
//! At most 524 288 write sections at a time on one lock; one more panics. The sequence has 43 bits (32
//! on targets without 64-bit atomics): a stamp that is held across exactly 2⁴³ (2³²) sections is
//! taken for fresh.
//!
//! # Features
//!
//! | feature | default | what for |
//! |---|---|---|
//! | `std` | yes | `Yield`, timeouts, blocking in `Park` (the last two not on WebAssembly) |
//! | `park` | yes | `Park`: readers that block or are awaited (event-listener, needs an allocator) |
//! | `cell` | yes | `SeqSchedCell`: snapshots of plain data (bytemuck 1, atomic-memcpy) |
//! | `portable-atomic` | no | targets without compare-and-swap |
//! | `loom` | no | under `--cfg loom`: atomics that loom explores, for models of what you build on this |
//!
//! With all of them off, `core` and crossbeam-utils are all that is used. Features only add. What
//! `loom` brings may change in any release. Where the cfg `loom` is set, `park` needs the feature `loom` too:
//! event-listener looks at the cfg alone. The major version of bytemuck is part of the API.
//!
//! # How it is checked
//!
//! The protocol is model-checked with loom, and so is that each of its orderings is needed: the
//! same models, run with one of them weakened, have to fail. [Memory orderings](memory_ordering) has the
//! argument. In a crate of your own, the feature `loom` and `--cfg loom` together turn this one's atomics
//! into loom's; constructors are no longer `const` then, and `Wait::INIT` is a function `init()`.
//!
//! # Source
//!
//! Andrea Arcangeli's kernel patch of December 2005 (`seqschedlock_t`), with its defects mended. The
//! kernel did not take it; `mmu_interval_read_begin` and KVM's `mmu_invalidate_retry` have the same shape.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::std_instead_of_core)]

#[cfg(feature = "park")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "cell")]
mod cell;
mod conflict;
mod fenced;
mod gated;
mod lock;
mod raw;
mod striped;
mod sync;
mod turn_lock;
mod wait;
mod word;

#[cfg(feature = "cell")]
pub use cell::{SeqSchedCell, SeqSchedCellDraft, SeqSchedCellGuard};
pub use conflict::{Conflict, Stamp};
pub use fenced::Fenced;
pub use gated::GatedSeqSchedLock;
pub use lock::{SeqSchedLock, SeqSchedLockWriteGuard};
pub use raw::{RawSeqSchedLock, WriteGuard};
pub use striped::{StripedSeqSchedLock, WriteAllGuard, WriteRangeGuard};
#[cfg(feature = "park")]
pub use wait::Park;
#[cfg(feature = "std")]
pub use wait::Yield;
pub use wait::{Spin, Wait, Writers};

sync::for_models! {
    #[cfg(not(feature = "std"))]
    extern crate std;

    /// What the models replace to show what it is for.
    #[doc(hidden)]
    pub mod model {
        pub use crate::word::{PROVEN, Protocol, with_protocol};

        #[cfg(feature = "cell")]
        pub mod cell {
            pub use crate::word::cell::{PROVEN, Protocol, with_protocol};
        }
    }
}

#[cfg(doc)]
#[doc = include_str!("../docs/memory-ordering.md")]
pub mod memory_ordering {}

#[cfg(all(doctest, feature = "park"))]
#[doc = include_str!("../README.md")]
struct Readme;
