//! Asynchronous I/O of Linux: three mechanisms whose races were found and closed on its mailing lists.
//!
//! | system | where | seed |
//! |---|---|---|
//! | ring pages that are moved while they are in use | [`ring`] | Linus Torvalds and Benjamin LaHaise, "aio: v2 ensure access to ctx->ring_pages is correctly serialised", March 2014 |
//! | retried requests, and what kicks them | [`retry`] | Suzuki, "Races in aio call back path", July 2005 |
//! | a ring that its owner moves while its context is destroyed | [`remap`] | Benjamin LaHaise, "aio: changes for 3.19", December 2014 |
//!
//! Each system has all versions of its history, from the first with the race to the last without.
//! `tests/loom_aio.rs` and `tests/loom_aio_remap.rs` model-check them. `tests/aio_live.rs` compares [`remap`] with the
//! kernel that it runs on. `cargo run --release -p seqschedlock-sim --bin aio` runs them all at full speed and
//! counts what goes wrong.
//!
//! # Where this crate's lock fits
//!
//! | | |
//! |---|---|
//! | [`ring`]: readers against migrations | It is correct, but gains nothing: readers need a reference to the page, and that makes a migration give up, as trying `ring_lock` does. |
//! | [`ring`]: completions, teardown | It does not fit. A completion cannot wait and must not be lost, and teardown is a matter of lifetimes. |
//! | [`retry`] | It does not fit. Both sides change things, and exactly one of them must queue the request. |
//! | [`remap`]: a mover against a destroyer | It is correct, but gains nothing: `mmap_sem` alone keeps them apart once `io_destroy` reads `mmap_base` under it. |
//! | [`remap`]: a checker beside running threads | It fits: [`Mm::observe`](remap::Mm::observe). |
//!
//! The documentation of each system, and of its version `Commit`, says more.
//!
//! # Where to find what you know
//!
//! | in the kernel | [`ring`] | [`retry`] | [`remap`] |
//! |---|---|---|---|
//! | `struct kioctx` | `context.rs`, [`ContextRef`](ring::ContextRef) | [`Kioctx`](retry::Kioctx) | `kioctx.rs`, [`KioCtxRef`](remap::KioCtxRef) |
//! | `percpu_ref_get`, `_tryget`, `_put` of `ctx->users` | `context.rs` | | `kioctx.rs` |
//! | `struct aio_ring` | `page.rs` | | `ring_file.rs` |
//! | `aio_ring_file`, `private_data`, `private_lock` | `file.rs` | | `ring_file.rs` |
//! | `mm_struct`, `mmap_sem` | [`Mm`](ring::Mm) | | [`Mm`](remap::Mm) |
//! | `mm->ioctx_table`, `ioctx_lock`, `aio_nr` | `mm.rs` | | `table.rs` |
//! | `vm_area_struct`, ptes | `file.rs` | | `areas.rs` |
//! | `io_setup`, `ioctx_alloc`, `aio_setup_ring`, `ioctx_add_table` | [`Mm::io_setup`](ring::Mm::io_setup) | | [`Mm::io_setup`](remap::Mm::io_setup) |
//! | `lookup_ioctx` | [`Mm::context`](ring::Mm::context) | | [`Mm::lookup`](remap::Mm::lookup) |
//! | `io_submit` | [`ContextRef::io_submit`](ring::ContextRef::io_submit) | [`Kioctx::io_submit`](retry::Kioctx::io_submit) | [`Mm::io_submit`](remap::Mm::io_submit) |
//! | `io_getevents`, `aio_read_events_ring` | [`ContextRef::read_events`](ring::ContextRef::read_events) | [`Kioctx::take_events`](retry::Kioctx::take_events) | [`Mm::io_getevents`](remap::Mm::io_getevents) |
//! | `aio_complete` | [`Iocb::complete`](ring::Iocb::complete) | `iocb.rs` | [`Mm::ready`](remap::Mm::ready) |
//! | `io_cancel` | | [`Kioctx::io_cancel`](retry::Kioctx::io_cancel) | [`Mm::io_cancel`](remap::Mm::io_cancel) |
//! | `io_destroy`, `kill_ioctx` | [`Mm::io_destroy`](ring::Mm::io_destroy) | [`Kioctx::io_destroy`](retry::Kioctx::io_destroy) | [`Mm::io_destroy`](remap::Mm::io_destroy) |
//! | `exit_aio` | [`Mm::exit_aio`](ring::Mm::exit_aio) | | [`Mm::exit`](remap::Mm::exit) |
//! | `get_page`, `put_page`, `lock_page` | `page.rs` | | |
//! | `aio_migratepage`, `migrate_page_move_mapping`, `migrate_page_copy` | `migrate.rs`, `file.rs` | | |
//! | `move_pages`, memory compaction, `unmap_and_move` | [`Mm::move_pages`](ring::Mm::move_pages), [`Mm::compact`](ring::Mm::compact) | | |
//! | `free_ioctx`, `aio_free_ring`, `put_aio_ring_file` | `teardown.rs` | | |
//! | `struct kiocb`, `KIF_KICKED`, `ki_wait`, `ki_run_list`, `ki_users` | | [`Kiocb`](retry::Kiocb) | |
//! | `aio_wake_function`, `kick_iocb`, `queue_kicked_iocb` | | [`WaitQueue::wake_up`](retry::WaitQueue::wake_up), `kick.rs` | |
//! | `ki_retry`, `prepare_to_wait`, `finish_wait` | | [`Method`](retry::Method), `run.rs` | |
//! | `io_submit_one`, `aio_run_iocb`, `__aio_run_iocbs` | | `run.rs` | |
//! | `aio_queue_work`, `aio_kick_handler` | | [`Kioctx::work`](retry::Kioctx::work) | |
//! | `is_sync_kiocb`, `wait_on_retry_sync_kiocb` | | [`Kioctx::do_sync`](retry::Kioctx::do_sync) | |
//! | `mremap`, `move_vma`, `mremap_to`, `remap_move` | | | [`Mm::mremap`](remap::Mm::mremap) |
//! | `aio_ring_remap`, later `aio_ring_mremap` | | | `hook.rs` |
//! | `mmap`, `munmap`, `mprotect`, `fork` | `file.rs` | | [`Mm`](remap::Mm) |
//! | lockdep, hung-task detection | `lockdep.rs` | `lockdep.rs` | |
//!
//! # What was left out
//!
//! - The systems do not meet: no ring is moved by `mremap` while its pages migrate, and a request that is
//!   retried does not end in a ring.
//! - Input and output: nothing is read or written, requests just complete.
//! - Timeouts of `io_getevents`, priorities, and the calls of 32-bit programs.
//! - `fs.aio-max-nr` is the limit of one process, not of the machine.
//!
//! Each system says what else it leaves out.

mod counts;
mod errno;
mod findings;
mod lifetime;
mod lockdep;
mod locks;
pub mod remap;
pub mod retry;
pub mod ring;

pub use errno::Errno;
pub use lockdep::LockClass;
