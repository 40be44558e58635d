//! The page cache, model-checked: the races of 2005 and 2009 really happen in it, and each answer
//! really closes its race.
//!
//! `cargo loom` and `cargo loom-split` run it, after the models of the lock itself.
//!
//! The whole of `page_cache` is explored, with pages of one word, a page index with one lock and two
//! stripes. There are at most three threads, and files have one page or two. The bound is 3
//! preemptions, unless a model says otherwise.
//!
//! Which models must catch which policy:
//!
//! | | invalidate, invalidate2, direct write | truncate | writeback |
//! |---|---|---|---|
//! | `Unprotected` | caught | holds: `truncate_count` | holds: page lock |
//! | `AsPosted` | caught | holds: `truncate_count` | holds: page lock |
//! | the other four | hold | hold | hold |
//! | a policy without `truncate_count` | | caught | |
//! | any policy, `page_mkwrite` of the old scheme | | | caught |
#![cfg(loom)]

#[path = "loom_page_cache/direct_write.rs"]
mod direct_write;
#[path = "../../tests/loom/explore.rs"]
mod explore;
#[path = "loom_page_cache/invalidate.rs"]
mod invalidate;
#[path = "loom_page_cache/truncate.rs"]
mod truncate;
#[path = "loom_page_cache/world.rs"]
mod world;
#[path = "loom_page_cache/writeback.rs"]
mod writeback;
