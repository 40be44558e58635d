//! A sequence lock whose write sections may sleep: it keeps a cache that is filled from a slow source from ever
//! serving what an update has replaced.
//!
//! Somebody fills a cache while somebody else changes the source. The filler loads the old value, the update changes
//! it and removes the entry, which is not there yet, and the filler inserts what it has loaded. From now on the
//! cache serves a value that is no longer true, and nothing will ever correct it. A lock around everything would
//! help, but the source is slow and readers are many.
//!
//! With this lock writers count themselves in and out. Their sections may take long, sleep, be held across an
//! `.await`, and overlap one another. Readers take a [`Stamp`], work, and find out afterwards whether a section
//! overlapped their work. They only load: no reader that gets through delays another, or a writer. (One that chooses to
//! block sets a bit and enters a queue, and the last writer out wakes it.) Eight bytes, no allocation, no `std`.
//!
//! # Fence a cache fill
//!
//! With a cache that runs one load for many waiters, here moka on tokio. The load takes the stamp, the update holds a
//! section, and whoever finds an entry asks whether a section overlapped its load ([`Fenced::hit`]).
//!
#![cfg_attr(feature = "park", doc = "```")]
#![cfg_attr(not(feature = "park"), doc = "```ignore")]
//! use std::{io, sync::Arc};
//!
//! use moka::future::Cache;
//! use seqschedlock::{Fenced, Park, StripedSeqSchedLock};
//!
//! struct Users {
//!     cache: Cache<u64, Arc<Fenced<Arc<User>>>>,
//!     fences: StripedSeqSchedLock<Park>,
//!     database: Database,
//! }
//!
//! impl Users {
//!     async fn get(&self, id: u64) -> Result<Arc<User>, Arc<io::Error>> {
//!         let fence = self.fences.for_key(&id);
//!         loop {
//!             if let Some(entry) = self.cache.get(&id).await {
//!                 if let Some(user) = entry.hit(fence) { return Ok(user.clone()); }
//!                 self.cache.invalidate(&id).await; // its load overlapped an update: never a hit
//!             }
//!             let loaded = self.cache.try_get_with(id, async {
//!                 let stamp = fence.read_begin_async().await; // inside the load, before the query
//!                 self.database.load(id).await.map(|user| Arc::new(Fenced::new(stamp, Arc::new(user))))
//!             }).await?;
//!             if let Some(user) = loaded.fresh(fence) {
//!                 if let Some(entry) = self.cache.get(&id).await { entry.hit(fence); } // a hit from now on
//!                 return Ok(user.clone());
//!             }
//!         }
//!     }
//!
//!     async fn rename(self: Arc<Self>, id: u64, name: String) -> io::Result<User> {
//!         tokio::spawn(async move { // a task of its own: it finishes even if the caller gives up
//!             let _section = self.fences.for_key(&id).write(); // around both: the removal and the change
//!             self.cache.invalidate(&id).await;
//!             self.database.rename(id, &name).await
//!         }).await?
//!     }
//! }
//! # struct User;
//! # struct Database;
//! # impl Database {
//! #     async fn load(&self, _: u64) -> io::Result<User> { Ok(User) }
//! #     async fn rename(&self, _: u64, _: &str) -> io::Result<User> { Ok(User) }
//! # }
//! ```
//!
//! No user that `get` returns is older than an update that had returned before `get` was called.
//!
//! - The stamp is taken inside the load. [`publish`](RawSeqSchedLock::publish) around a cache that coalesces loads is a
//!   trap: the stamp would be the waiter's, and say nothing of the load it joins.
//! - What a lookup found is asked with `hit`, which remembers its answer. What a load handed over is asked with
//!   [`fresh`](Fenced::fresh): it may come to a late waiter after others have found it, used it and seen it removed.
//! - The second lookup validates the entry where it lies. An entry that nobody has asked yet becomes a miss with the
//!   next update in its stripe, of whatever key.
//! - A load that fails leaves no entry, and all who waited get the error. A caller may give up at any moment, by a
//!   timeout say; if the load was its own, another waiter loads.
//! - The update runs in a task of its own, because its change may take effect after its caller has given up: the
//!   section has to last until the outcome is known.
//! - A get may wait for an update of its key, or of another key in the same stripe; a hit does not, and updates wait for
//!   nobody. For a bounded number of attempts write `for _ in 0..3` instead of `loop`, then load without the cache and
//!   keep nothing.
//!
//! Where the cache is a map under a lock of its own, check inside that lock ([`read_end`](RawSeqSchedLock::read_end)) and
//! insert only what held; no entry type is needed. The repository has complete programs for moka, quick_cache, DashMap,
//! a `Mutex<HashMap>`, and for Valkey or Redis, where all processes share one fence.
//!
//! # Which type
//!
//! | | for |
//! |---|---|
//! | [`StripedSeqSchedLock<W, N>`](StripedSeqSchedLock) | a cache with many keys: a fixed number of locks |
//! | [`Fenced<T>`](Fenced) | an entry of such a cache: a value, and whether it may be served |
//! | [`RawSeqSchedLock<W>`](RawSeqSchedLock) | one lock for data that is elsewhere: a file, a page table, a cache with one entry |
//! | [`SeqSchedLock<T, W>`](SeqSchedLock) | data beside its lock; both sides get `&T` |
//! | `SeqSchedCell<T, W>` | plain data, read and replaced as a whole; writers take turns and work on a private copy |
//!
//! `W` says how a reader waits for writers: `Park` blocks or awaits, and is what a slow source needs; `Yield` yields;
//! [`Spin`] spins, and needs only `core`; your own [`Wait`] does what you say.
//!
//! # Which check when
//!
//! | the reader | checks with | or, as a whole |
//! |---|---|---|
//! | only looked | [`read_end`](RawSeqSchedLock::read_end) | [`read`](RawSeqSchedLock::read), [`try_read`](RawSeqSchedLock::try_read) |
//! | made something visible to others | [`read_commit`](RawSeqSchedLock::read_commit), *after* it did | [`publish`](RawSeqSchedLock::publish), [`try_publish`](RawSeqSchedLock::try_publish) |
//! | found an entry in a cache | [`Fenced::hit`] | |
//! | was handed an entry by a load, its own or another's | [`Fenced::fresh`] | |
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
//! - Between publish and retract others can find the entry, and it may be stale. Where a hit must not be, let whoever
//!   finds it ask ([`Fenced`]), or validate inside a lock of your own that writers take after
//!   [`write`](RawSeqSchedLock::write).
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
//! | `park` | yes | `Park`: readers that block or are awaited (needs an allocator) |
//! | `cell` | yes | `SeqSchedCell`: snapshots of plain data (bytemuck 1, atomic-memcpy) |
//! | `portable-atomic` | no | targets without compare-and-swap |
//! | `loom` | no | under `--cfg loom`: atomics that loom explores, for models of what you build on this |
//!
//! With all of them off, `core` and crossbeam-utils are all that is used. Features only add. The major version of
//! bytemuck is part of the API.
//!
//! # Under loom
//!
//! In a crate of your own, `--cfg loom` and the feature `loom` together turn this crate's atomics into loom's, so that
//! models of what you build on it explore them too. With the cfg alone the atomics stay those of `core`, and loom sees
//! nothing of the lock. With both, constructors are not `const`, and `Wait::INIT` is a function `init()`. A lock in a
//! `static` takes two declarations:
//!
#![cfg_attr(feature = "park", doc = "```")]
#![cfg_attr(not(feature = "park"), doc = "```ignore")]
//! # #![allow(unexpected_cfgs)]
//! use seqschedlock::{Park, StripedSeqSchedLock};
//!
//! #[cfg(not(loom))]
//! static FENCES: StripedSeqSchedLock<Park> = StripedSeqSchedLock::new();
//! #[cfg(loom)]
//! loom::lazy_static! {
//!     static ref FENCES: StripedSeqSchedLock<Park> = StripedSeqSchedLock::new();
//! }
//! # drop(FENCES.for_key("some key").write());
//! ```
//!
//! What `loom` brings may change in any release.
//!
//! # How it is checked
//!
//! The protocol is model-checked with loom, and so is that each of its orderings is needed: the
//! same models, run with one of them weakened, have to fail. [Memory orderings](memory_ordering) has the
//! argument.
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
