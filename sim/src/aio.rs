//! Asynchronous I/O of the kernel: mechanisms whose races were found and closed on its mailing list.
//!
//! | system | where | seed |
//! |---|---|---|
//! | ring pages that are moved while they are used | [`ring`] | "aio: v2 ensure access to ctx->ring_pages is correctly serialised", March 2014 |
//! | requests that are retried, and who kicks them | [`retry`] | "Races in aio call back path", July 2005 |
//! | `mremap` of a ring against `io_destroy` | [`remap`] | Benjamin LaHaise's "[GIT PULL] aio: changes for 3.19", December 2014 |
//!
//! Each has all its historical versions, from the first with the race to the last without. `tests/loom_aio.rs`
//! model-checks them; `cargo run --release -p seqschedlock-sim --bin aio` runs them at full speed and counts
//! what goes wrong.
//!
//! # Where to find what you know
//!
//! | in the kernel | here |
//! |---|---|
//! | `struct kioctx` with a ring | `ring/context.rs`; looked up, it is a [`ContextRef`](ring::ContextRef) |
//! | `percpu_ref_get`, `_tryget`, `_put` of `ctx->users` | `ring/context.rs` |
//! | `struct aio_ring`, a page of it, `get_page`, `put_page`, `lock_page` | `ring/page.rs` |
//! | `aio_ring_file`, its page cache, `private_data`, `private_lock` | `ring/file.rs` |
//! | `mm_struct`, `mmap_sem`, `ioctx_table`, `ioctx_lock` | [`ring::Mm`] |
//! | `io_setup`, `ioctx_alloc`, `aio_setup_ring`, `ioctx_add_table` | [`Mm::io_setup`](ring::Mm::io_setup), `ring/setup.rs` |
//! | `lookup_ioctx` | [`Mm::context`](ring::Mm::context) |
//! | `io_getevents`, `aio_read_events_ring` | [`ContextRef::read_events`](ring::ContextRef::read_events) |
//! | `aio_complete` | [`Iocb::complete`](ring::Iocb::complete) |
//! | `aio_migratepage`, `migrate_page_move_mapping`, `migrate_page_copy` | `ring/migrate.rs`, `ring/file.rs` |
//! | `move_pages`, memory compaction, `unmap_and_move` | [`Mm::move_pages`](ring::Mm::move_pages), [`Mm::compact`](ring::Mm::compact) |
//! | `io_destroy`, `kill_ioctx`, `exit_aio` | [`Mm::io_destroy`](ring::Mm::io_destroy), [`Mm::exit_aio`](ring::Mm::exit_aio) |
//! | `free_ioctx`, `aio_free_ring`, `put_aio_ring_file` | `ring/teardown.rs` |
//! | `struct kioctx` with a run list, `ctx_lock` | [`retry::Kioctx`] |
//! | `struct kiocb`, `KIF_KICKED`, `ki_wait`, `ki_run_list`, `ki_users` | [`retry::Kiocb`] |
//! | `aio_wake_function`, `kick_iocb`, `queue_kicked_iocb` | [`WaitQueue::wake_up`](retry::WaitQueue::wake_up), `retry/kick.rs` |
//! | `ki_retry`, `prepare_to_wait`, `finish_wait` | [`retry::Method`], `retry/run.rs` |
//! | `io_submit_one`, `aio_run_iocb`, `__aio_run_iocbs` | [`Kioctx::io_submit`](retry::Kioctx::io_submit), `retry/run.rs` |
//! | `aio_queue_work`, `aio_kick_handler` | [`Kioctx::work`](retry::Kioctx::work) |
//! | `io_cancel` | [`Kioctx::io_cancel`](retry::Kioctx::io_cancel) |
//! | `is_sync_kiocb`, `wait_on_retry_sync_kiocb` | [`Kioctx::do_sync`](retry::Kioctx::do_sync) |
//! | lockdep, hung-task detection | `lockdep.rs` |

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
