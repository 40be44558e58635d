//! The systems that `seqschedlock` was invented for, simulated with their original races.
//!
//! A guest in the house of the lock: it is built on what `seqschedlock` exports and on nothing else, as any
//! dependent would be. It is here for study, for the benches, and to prove that the public API suffices; it is
//! not published, and what is public in it may change at any time.
//!
//! | system | where | seeds |
//! |---|---|---|
//! | page faults against invalidation, truncation and writeback | [`page_cache`] | Andrea Arcangeli's patch of December 2005 with the lock in it; Nick Piggin's "mm: close page_mkwrite races" of 2009 |
//! | asynchronous I/O: ring pages that move, requests that are retried | [`aio`] | "aio: v2 ensure access to ctx->ring_pages is correctly serialised" of March 2014; "Races in aio call back path" of July 2005 |
//!
//! `cargo run --release -p seqschedlock-sim` runs the page cache at full speed on a real file, under six policies,
//! and counts what went wrong under each. `--bin aio` does the same for the AIO systems.

pub mod aio;
mod locks;
pub mod page_cache;
mod sync;
