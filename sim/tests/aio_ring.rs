//! How a ring behaves when nothing happens at the same time: what system calls answer, and that no path
//! leaves a lock behind.
#![cfg(not(loom))]

#[path = "aio_ring/events.rs"]
mod events;
#[path = "aio_ring/migration.rs"]
mod migration;
#[path = "aio_ring/setup.rs"]
mod setup;
