//! The holders, model-checked, as far as they add concurrency of their own: the word of
//! `SeqSchedCell`, and readers of `Park` that are awaited and dropped.
//!
//! `tests/loom.rs` says how models and weakened twins work. `SeqSchedLock` and
//! `StripedSeqSchedLock` have no models: they add no atomic operation to the lock.
#![cfg(loom)]

#[path = "loom_holders/awaited.rs"]
mod awaited;
#[cfg(feature = "cell")]
#[path = "loom_holders/cell.rs"]
mod cell;
#[cfg(feature = "cell")]
#[path = "loom_holders/cell_turns.rs"]
mod cell_turns;
#[cfg(feature = "cell")]
#[path = "loom/dies.rs"]
mod dies;
#[path = "loom/explore.rs"]
mod explore;
#[cfg(feature = "cell")]
#[path = "loom/strategies.rs"]
mod strategies;
#[path = "loom_holders/weakened.rs"]
mod weakened;
