//! How a ring behaves when threads do not race: what system calls answer, and that no path leaves a lock
//! held. One stress test lets them race.
#![cfg(not(loom))]

#[path = "aio_ring/events.rs"]
mod events;
#[path = "aio_ring/migration.rs"]
mod migration;
#[path = "aio_ring/setup.rs"]
mod setup;
