//! Simulations of the systems that `seqschedlock` was invented for, with their original races.
//!
//! This package uses only the public API of `seqschedlock`, as any dependent would. It is here for study, for the
//! benchmarks, and to show that the public API is enough. It is not published, and its own API may change at any
//! time.
//!
//! | system | where | seed |
//! |---|---|---|
//! | page faults against invalidation and truncation | [`page_cache`] | Andrea Arcangeli, "smp race fix between invalidate_inode_pages* and do_no_page", December 2005: the patch with the lock in it |
//! | write faults against writeback | [`page_cache`] | Nick Piggin, "mm: close page_mkwrite races", 2009 |
//! | ring pages of asynchronous I/O that are moved while they are in use | [`aio::ring`] | Linus Torvalds and Benjamin LaHaise, "aio: v2 ensure access to ctx->ring_pages is correctly serialised", March 2014 |
//! | retried requests, and what kicks them | [`aio::retry`] | Suzuki, "Races in aio call back path", July 2005 |
//! | a ring that its owner moves while its context is destroyed | [`aio::remap`] | Benjamin LaHaise, "aio: changes for 3.19", December 2014 |
//!
//! `cargo run --release -p seqschedlock-sim` runs the page cache at full speed on a real file, under six policies,
//! and counts what went wrong under each. `--bin aio` does the same for the three AIO
//! systems, and for the AIO of the kernel that it runs on.

pub mod aio;
mod locks;
pub mod page_cache;
mod sync;
