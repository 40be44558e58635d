//! A ring that moves, on one thread: what each call answers and what it leaves behind. All of it is what Linux 6.18
//! does, unless a test names a version; `aio_live.rs` asks the kernel itself.
#![cfg(not(loom))]

#[path = "aio_remap/destroy.rs"]
mod destroy;
#[path = "aio_remap/events.rs"]
mod events;
#[path = "aio_remap/ids.rs"]
mod ids;
#[path = "aio_remap/parts.rs"]
mod parts;
#[path = "aio_remap/random.rs"]
mod random;
#[path = "aio_remap/refusals.rs"]
mod refusals;
#[path = "aio_remap/setup.rs"]
mod setup;
#[path = "aio_remap/threads.rs"]
mod threads;
#[path = "aio_remap/versions.rs"]
mod versions;
#[path = "aio_remap/whole.rs"]
mod whole;
#[path = "aio_remap/world.rs"]
mod world;
