//! How faults fail, and how operations on a file do.

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
    /// The operation is not possible there. `EINVAL`.
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
pub(super) struct TimedOut;

impl From<TimedOut> for VmFault {
    fn from(_: TimedOut) -> Self {
        VmFault::TimedOut
    }
}
