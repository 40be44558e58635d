//! The page cache: what its entry points promise, policy by policy where they differ.
#![cfg(not(loom))]

#[path = "page_cache/deadlines.rs"]
mod deadlines;
#[path = "page_cache/debug.rs"]
mod debug;
#[path = "page_cache/direct_write.rs"]
mod direct_write;
#[path = "page_cache/faults.rs"]
mod faults;
#[path = "page_cache/file_systems.rs"]
mod file_systems;
#[path = "page_cache/invalidate.rs"]
mod invalidate;
#[path = "page_cache/large_files.rs"]
mod large_files;
#[path = "page_cache/page_mkwrite.rs"]
mod page_mkwrite;
#[path = "../../tests/support/patience.rs"]
mod patience;
#[path = "page_cache/policies.rs"]
mod policies;
#[path = "page_cache/stores.rs"]
mod stores;
#[path = "page_cache/truncate.rs"]
mod truncate;
#[path = "page_cache/world.rs"]
mod world;
#[path = "page_cache/writeback.rs"]
mod writeback;
