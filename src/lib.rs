//! A sequence lock whose write sections may sleep. It keeps a cache in front of a slow source from ever serving a
//! value that an update has replaced.
//!
//! One thread fills a cache while another changes the source. The filler loads the old value. The update changes the
//! source and removes the cache entry, which is not there yet. Then the filler inserts the old value. From now on the
//! cache serves a value that is no longer true, and nothing will ever correct it. A lock around everything would
//! help, but the source is slow and there are many readers.
//!
//! With this lock, writers count themselves in and out. Their sections may be long, sleep, be held across an
//! `.await`, and overlap one another. Readers take a [`Stamp`], work, and find out afterwards whether a section
//! overlapped their work. They only load, so a reader that gets through never delays another reader or a writer. (A
//! reader that chooses to block sets a bit and enters a queue, and the last writer out wakes it.) With [`Spin`], the
//! lock takes eight bytes and needs no allocation and no `std`.
//!
//! # Fence a cache fill
//!
//! This cache runs one load for many waiters: moka on tokio. The load takes the stamp, the update holds a section, and
//! a lookup that finds an entry asks whether a section overlapped the load of that entry ([`Fenced::hit`]).
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
//! `get` never returns a user that is older than an update that had returned before `get` was called.
//!
//! - The stamp is taken inside the load. [`publish`](RawSeqSchedLock::publish) around a cache that coalesces loads is a
//!   trap: the stamp would be the waiter's, and say nothing about the load that the waiter joins.
//! - Ask `hit` about what a lookup found: it remembers its answer. Ask [`fresh`](Fenced::fresh) about what a load handed
//!   over: a late waiter may get it after others have already found, used and removed it.
//! - The second lookup validates the entry in the cache. An entry that nobody has asked about becomes a miss with the
//!   next update of any key in its stripe.
//! - A load that fails leaves no entry, and all waiters get the error. A caller may give up at any moment, for example
//!   by a timeout. If its own load was running, another waiter loads.
//! - The update runs in its own task, because its change may take effect after its caller has given up. The section
//!   must last until the outcome is known.
//! - A get may wait for an update of its key, or of another key in the same stripe. A hit never waits, and neither does
//!   an update. To bound the attempts, write `for _ in 0..3` instead of `loop`, then load without the cache and keep
//!   nothing.
//!
//! If the cache is a map behind its own lock, validate inside that lock ([`read_end`](RawSeqSchedLock::read_end)) and
//! insert only if it is `Ok`; no entry type is needed. The repository has complete programs for moka, quick_cache,
//! DashMap, a `Mutex<HashMap>`, and for Valkey or Redis, where all processes share one fence.
//!
//! # Which type
//!
//! | | for |
//! |---|---|
//! | [`StripedSeqSchedLock<W, N>`](StripedSeqSchedLock) | a cache with many keys: a fixed number of locks |
//! | [`Fenced<T>`](Fenced) | an entry of such a cache: a value, and whether it may be served |
//! | [`RawSeqSchedLock<W>`](RawSeqSchedLock) | one lock for data stored elsewhere: a file, a page table, a cache with one entry |
//! | [`GatedSeqSchedLock<W>`](GatedSeqSchedLock) | what must not be visible for a moment while it is stale, such as a mapping; readers beside writers that never pause |
//! | [`SeqSchedLock<T, W>`](SeqSchedLock) | data stored with its lock; readers and writers both get `&T` |
//! | `SeqSchedCell<T, W>` | plain data, read and replaced as a whole; writers take turns and work on a private copy |
//!
//! `W` says how a reader waits for writers: `Park` blocks or awaits, and suits a slow source; `Yield` yields; [`Spin`]
//! spins, and needs only `core`; your own [`Wait`] does what you say.
//!
//! # Which check when
//!
//! | the reader | checks with | or, in one call |
//! |---|---|---|
//! | only looked | [`read_end`](RawSeqSchedLock::read_end) | [`read`](RawSeqSchedLock::read), [`try_read`](RawSeqSchedLock::try_read) |
//! | made something visible to others | [`read_commit`](RawSeqSchedLock::read_commit), *after* it did | [`publish`](RawSeqSchedLock::publish), [`try_publish`](RawSeqSchedLock::try_publish) |
//! | found an entry in a cache | [`Fenced::hit`] | |
//! | was handed an entry by a load, its own or another's | [`Fenced::fresh`] | |
//!
//! The common mistake is to validate first and publish afterwards: a whole write section fits between
//! the two.
//!
//! # Using it right
//!
//! - Take the stamp *before* the source is consulted.
//! - Begin the write section before the source changes, and hold it until the change is done and the stale
//!   entry is gone. A counter that is bumped only before the change misses a fill that starts after the bump;
//!   a flag alone misses a section that begins and ends within one fill.
//! - Remove the entry first, then change the source. Fills that overlap the section fail, so no old value
//!   comes back. Ending a section does not invalidate anything: if the source changed first and the section
//!   were cut short before the removal (by a panic, a `?`, a dropped future), the stale entry would stay for
//!   ever. If something else may insert entries without this fence, only a removal *after* the change takes
//!   them out: then remove twice.
//! - If the change may still take effect later (a request that timed out, a query that goes on when its
//!   future is dropped), hold the section until the outcome is known: run both in their own task.
//! - Retract only what this attempt published, not something newer that has replaced it.
//! - Between publish and retract, others can find the entry, and it may be stale. If it must never be a hit,
//!   let those who find it ask first ([`Fenced`]), or validate inside a lock of your own that writers take
//!   after [`write`](RawSeqSchedLock::write).
//! - Never wait while holding something that a writer may need in order to finish: a write section of any
//!   lock (two keys may share a stripe), or a lock that writers take inside their sections. Use the `try_`
//!   forms there. Never block a thread of an executor whose tasks hold sections across `.await`: use the
//!   `_async` forms there.
//! - After a few conflicts, serve the value uncached or take a lock of your own. That bounds the work.
//!
//! # What it does not do
//!
//! - It does not stop readers from looking. What is read while a writer runs must tolerate that: atomics,
//!   concurrent maps, files, `SeqSchedCell` for plain data.
//! - It does not count readers, and writers never wait for them. So it cannot tell when nobody uses
//!   something any more: reclaim memory by other means.
//! - It is not fair. Enough writers can keep a reader from ever getting through, if the reader lets them. At a
//!   [`GatedSeqSchedLock`] the reader closes a gate in front of them.
//! - Writers do not exclude one another. (Those of a `SeqSchedCell` do.)
//! - [Forgetting](core::mem::forget) a guard is safe, but its section never ends and readers wait for ever.
//!   A reader that waits inside its own write section also waits for ever.
//!
//! # Limits
//!
//! At most 524 288 write sections may run on one lock at a time; one more panics. The sequence has 43 bits
//! (32 on targets without 64-bit atomics): a stamp that is held across exactly 2⁴³ (2³²) sections is
//! taken for fresh.
//!
//! # Features
//!
//! | feature | default | what for |
//! |---|---|---|
//! | `std` | yes | `Yield`, timeouts, blocking in `Park` (the last two not on WebAssembly) |
//! | `park` | yes | `Park`: readers that block or await (needs an allocator) |
//! | `cell` | yes | `SeqSchedCell`: snapshots of plain data (bytemuck 1, atomic-memcpy) |
//! | `portable-atomic` | no | targets without compare-and-swap |
//! | `loom` | no | under `--cfg loom`: loom's atomics, to model what you build on this crate |
//!
//! With all features off, the crate uses only `core` and crossbeam-utils. Features are additive. The major version of
//! bytemuck is part of the API.
//!
//! # Under loom
//!
//! In your own crate, `--cfg loom` and the feature `loom` together replace this crate's atomics with loom's, so your
//! models explore them too. The cfg reaches every dependency: wherever you set it, enable the feature, or `park` does
//! not compile (event-listener looks at the cfg alone). Constructors are then not `const`, and `Wait::INIT` is a
//! function `init()`. A lock in a `static` needs two declarations:
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
//! What the `loom` feature provides may change in any release.
//!
//! # How it is checked
//!
//! The protocol is model-checked with loom. Each of its orderings is shown to be needed: with any one of them
//! weakened, the same models must fail. [Memory orderings](memory_ordering) has the argument.
//!
//! # Source
//!
//! Andrea Arcangeli's kernel patch of December 2005 (`seqschedlock_t`), with its defects fixed. The patch was
//! not merged; the kernel's `mmu_interval_read_begin` and KVM's `mmu_invalidate_retry` have the same shape.
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

    /// The choices of the protocols, which models replace to show what each one is for.
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
