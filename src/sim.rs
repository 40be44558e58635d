//! The reference consumer: a small page cache, with the races that the lock was invented for.
//!
//! It is a model of the kernel code in Andrea Arcangeli's patch of 13 December 2005, on real threads
//! and, if one likes, on a real file. It uses nothing of the crate that others could not use.
//! Names follow the kernel.
//!
//! # The race
//!
//! A page fault finds a page in the cache. Before it has set the pte, an invalidate asks whether the
//! page is mapped, is told that it is not, and removes it. The fault sets the pte: user space now
//! maps a page that belongs to no file, and keeps reading old bytes from it while everybody else
//! sees new ones. The page lock does not help, since the fault never takes it.
//!
//! ```
//! use seqschedlock::sim::{AddressSpace, Commit, MemStore, Mm, PAGE_SIZE, Patience, PlainFs, Sharing};
//! use std::time::Duration;
//!
//! let store = MemStore::new(4 * PAGE_SIZE as u64, Duration::ZERO);
//! let file = AddressSpace::<Commit>::new(store, PlainFs::default())?;
//! let process = Mm::new();
//! let address = process.mmap(&file, 0, file.pages(), Sharing::Shared);
//!
//! let mut words = [0; 2];
//! process.read(address, &mut words, Patience::DEFAULT).unwrap(); // faults, and reads the store
//! assert_eq!(words, [0, 0]);
//!
//! file.direct_write(0, &[1; PAGE_SIZE])?; // past the cache, so it has to invalidate
//! process.read(address, &mut words, Patience::DEFAULT).unwrap();
//! assert_eq!(words, [u64::from_ne_bytes([1; 8]); 2]);
//! # Ok::<(), seqschedlock::sim::Errno>(())
//! ```

mod access;
mod census;
mod check;
mod fault;
mod file_system;
mod invalidate;
mod locks;
mod mapping;
mod mm;
mod page;
mod policy;
mod store;
mod truncate;
mod writeback;

pub use check::Violation;
pub use fault::{Access, Faulted, Patience};
pub use file_system::{
    FileSystem, LockedSchemeFs, Metadata, MkWrite, OldSchemeFs, PlainFs, Trouble,
};
pub use mapping::AddressSpace;
pub use mm::{Mm, Sharing};
pub use page::{LockedPage, PAGE_SIZE, Page, PageRef};
pub use policy::{
    AsPosted, Commit, InvalidateRwLock, PageLock, Policy, Refusal, Striped, Unprotected,
};
#[cfg(unix)]
pub use store::FileStore;
pub use store::{MemStore, Store};

use core::fmt;

/// How a fault fails: the `VM_FAULT_` codes, and what becomes of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VmFault {
    /// There is no such page: beyond the end of the file, or it cannot be read. `VM_FAULT_SIGBUS`.
    Sigbus,
    /// The file system had no memory to make the page writable. `VM_FAULT_OOM`.
    Oom,
    /// Nothing is mapped at the address. `VM_FAULT_SIGSEGV`.
    Segv,
    /// The deadline has passed. (The kernel's faults give up on a signal: `VM_FAULT_RETRY`.)
    TimedOut,
}

impl fmt::Display for VmFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            VmFault::Sigbus => "the file has no such page, or it cannot be read (SIGBUS)",
            VmFault::Oom => "the file system is out of memory (OOM)",
            VmFault::Segv => "nothing is mapped at the address (SIGSEGV)",
            VmFault::TimedOut => "the fault gave up at its deadline",
        })
    }
}

impl core::error::Error for VmFault {}

/// How an operation on a file fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Errno {
    /// The store failed, or a page could not be dropped. `EIO`.
    Io,
    /// The operation makes no sense there. `EINVAL`.
    Invalid,
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Errno::Io => "the store failed, or a page was dirtied meanwhile (EIO)",
            Errno::Invalid => "not within the file (EINVAL)",
        })
    }
}

impl core::error::Error for Errno {}

/// The deadline of a fault has passed.
#[derive(Clone, Copy, Debug)]
struct TimedOut;

impl From<TimedOut> for VmFault {
    fn from(_: TimedOut) -> Self {
        VmFault::TimedOut
    }
}
