//! The page cache: what its entry points promise, policy by policy where they differ.
#![cfg(all(feature = "sim", not(loom)))]

#[path = "sim/deadlines.rs"]
mod deadlines;
#[path = "sim/direct_write.rs"]
mod direct_write;
#[path = "sim/faults.rs"]
mod faults;
#[path = "sim/invalidate.rs"]
mod invalidate;
#[path = "sim/page_mkwrite.rs"]
mod page_mkwrite;
#[path = "sim/stores.rs"]
mod stores;
#[path = "sim/truncate.rs"]
mod truncate;
#[path = "sim/world.rs"]
mod world;
#[path = "sim/writeback.rs"]
mod writeback;
