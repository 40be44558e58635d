//! A small page cache, with the races that the lock was invented for.
//!
//! It is a model of the kernel code in Andrea Arcangeli's patch of 13 December 2005, on real threads and, if you like,
//! on a real file. Names follow the kernel.
//!
//! # The race
//!
//! A page fault finds a page in the cache. Before it sets the pte, an invalidate checks whether the page is mapped,
//! finds that it is not, and removes it. Then the fault sets the pte: user space now maps a page that belongs to no
//! file, and keeps reading old bytes from it while everybody else sees new ones. The page lock does not help, since the
//! fault never takes it.
//!
//! Six [policies](Policy) close this race, or fail to. The code of fault and invalidate is the same under all of them:
//!
//! | | from | |
//! |---|---|---|
//! | [`Unprotected`] | 2.6.15 | shows the race |
//! | [`AsPosted`] | the patch of 2005 | shows a narrower one |
//! | [`PageLock`] | merged in 2007 | holds |
//! | [`InvalidateRwLock`] | merged in 2021 | holds |
//! | [`Commit`] | `seqschedlock` | holds |
//! | [`Striped`] | `seqschedlock`, 64 locks | holds |
//!
//! `tests/loom_page_cache.rs` explores the interleavings: it finds the races under the policies that have them, and
//! none under the others. The program `page_cache` counts them at full speed, on a file of yours.
//!
//! ```
//! use seqschedlock_sim::page_cache::{AddressSpace, Commit, MemStore, Mm, PAGE_SIZE, Patience, PlainFs, Sharing};
//! use std::time::Duration;
//!
//! let store = MemStore::new(4 * PAGE_SIZE as u64, Duration::ZERO);
//! let file = AddressSpace::<Commit>::new(store, PlainFs::default())?;
//! let process = Mm::new();
//! let address = process.mmap(&file, 0, file.pages(), Sharing::Shared);
//!
//! let mut words = [0; 2];
//! process.read(address, &mut words, Patience::DEFAULT)?; // faults, and reads the store
//! assert_eq!(words, [0, 0]);
//!
//! file.direct_write(0, &[1; PAGE_SIZE])?; // past the cache, so it has to invalidate
//! process.read(address, &mut words, Patience::DEFAULT)?;
//! assert_eq!(words, [u64::from_ne_bytes([1; 8]); 2]);
//! assert_eq!(file.check(), Ok(()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to find what you know
//!
//! | in the kernel | here |
//! |---|---|
//! | `struct page`, `PG_locked` and the other flags, `lock_page`, `wait_on_page_writeback` | [`Page`], [`LockedPage`] |
//! | `page_mapcount`, `page_add_file_rmap`, `page_remove_rmap` | [`Page::mapcount`] |
//! | `get_page`, `put_page` | clone and drop of a [`PageRef`] |
//! | `struct address_space`, `i_size`, `truncate_count`, `i_mmap` | [`AddressSpace`] |
//! | `find_get_page`, `add_to_page_cache`, `remove_from_page_cache` | `mapping.rs` |
//! | `filemap_nopage`, later `filemap_fault`; `readpage` | `mapping.rs` |
//! | `unmap_mapping_range`, `zap_page_range` | `mapping.rs`, `mm.rs` |
//! | `struct mm_struct`, `mmap_sem`, `page_table_lock`, `mmap`, `munmap`, `MADV_DONTNEED` | [`Mm`] |
//! | `handle_mm_fault`, `do_no_page`, later `do_fault` and `finish_fault` | [`Mm::fault`] |
//! | `do_cow_fault`, `do_shared_fault`, `do_wp_page`, `wp_page_copy`, `do_page_mkwrite` | `fault.rs`, `fault/write.rs` |
//! | `VM_FAULT_MAJOR`, `_SIGBUS`, `_OOM`, `_SIGSEGV` | [`Faulted`], [`VmFault`] |
//! | `VM_FAULT_LOCKED`, `_NOPAGE`, `0` | [`MkWrite`] |
//! | `invalidate_mapping_pages` | [`AddressSpace::invalidate_mapping_pages`] |
//! | `invalidate_inode_pages2_range`, `invalidate_complete_page2`, `try_to_release_page` | [`AddressSpace::invalidate_inode_pages2_range`], [`FileSystem::release_page`] |
//! | `generic_file_direct_write` | [`AddressSpace::direct_write`] |
//! | `vmtruncate`, `truncate_inode_pages`, `truncate_partial_page` | [`AddressSpace::truncate`] |
//! | `filemap_write_and_wait_range`, `clear_page_dirty_for_io`, `page_mkclean`, `writepage` | [`AddressSpace::filemap_write_and_wait_range`] |
//! | `page_mkwrite`, `set_page_dirty`, `releasepage` | [`FileSystem`] |
//! | `read_seqschedlock`, `read_seqschedunlock`, `write_seqschedlock` | [`Policy`] |
//!
//! Faults, invalidates and direct writes are those of the patch of 2005 and of Linux 2.6.15 around it; truncate is that
//! of the same time, with the second check that 2.6.23 added for faults under the page lock. Write faults and writeback
//! are those of Nick Piggin's "mm: close page_mkwrite races" of 2009.
//!
//! # What was left out
//!
//! - Reclaim: a page leaves the cache only when it is invalidated or truncated. So nothing acts on the reference count.
//!   Neither did 2.6.15; later kernels do, which closes the race of `invalidate_mapping_pages`, though not that of its
//!   sister.
//! - `read` and `write`: the file is read and written only through mappings and past the cache.
//! - Page tables are one map with one lock; there are no huge pages, no swap, no `fork`.
//! - A TLB: an access reads the pte and touches the page in one step, with the page table locked.
//!   Flushing the TLB before a page is released amounts to the same.
//! - Protection: every area may be read and written. `mmap_sem` is held for reading throughout a
//!   fault, as it was then, and for writing by `mmap` and `munmap` only.
//! - Only a truncate raises `truncate_count`. In 2.6.15 every `unmap_mapping_range` did, so an invalidate raced only
//!   with faults on pages that no process had mapped yet.
//! - `balance_dirty_pages` and `file_update_time` are called where they belong, but only count.
//! - Direct writes of partial pages.
//!
//! # What it needs
//!
//! From `std`: threads, mutexes, files and clocks. From the lock: `Park`, since invalidates sleep.
//! `FileStore` reads files with `pread`, so it exists on Unix only.

mod access;
mod census;
mod check;
mod error;
mod fault;
mod file_system;
mod invalidate;
mod mapping;
mod mm;
mod page;
mod page_table;
mod policy;
mod store;
mod truncate;
mod writeback;

pub use check::Violation;
pub use error::{Errno, VmFault};
pub use fault::{Access, Faulted, Patience};
pub use file_system::{
    FileSystem, LockedSchemeFs, Metadata, MkWrite, OldSchemeFs, PlainFs, Trouble,
};
pub use mapping::AddressSpace;
pub use mm::Mm;
pub use page::{LockedPage, PAGE_SIZE, Page, PageRef};
pub use page_table::Sharing;
pub use policy::{
    AsPosted, Commit, InvalidateRwLock, PageLock, Policy, Refusal, Striped, Unprotected,
};
#[cfg(unix)]
pub use store::FileStore;
pub use store::{MemStore, Store};
