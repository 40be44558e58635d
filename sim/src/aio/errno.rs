//! How an operation on a context fails.

use core::fmt;

/// The error of a system call, or of a page migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Errno {
    /// Try again: a lock is taken, a page has changed, no event slot is free. `EAGAIN`.
    Again,
    /// A migration met a context that was being torn down. Only versions before the merged one answer
    /// this. `EBUSY`.
    Busy,
    /// Going to sleep here would have been a deadlock. A kernel hangs; the simulation notices and gives
    /// up. `EDEADLK`.
    Deadlock,
    /// The caller's buffer cannot be written to, or nothing is mapped at the address. `EFAULT`.
    Fault,
    /// The process was killed while it waited, or the request was cancelled. `EINTR`.
    Interrupted,
    /// There is no such context, or the argument makes no sense. `EINVAL`.
    Invalid,
    /// No memory for the ring. `ENOMEM`.
    NoMemory,
}

impl Errno {
    /// Its name in the kernel.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Again => "EAGAIN",
            Self::Busy => "EBUSY",
            Self::Deadlock => "EDEADLK",
            Self::Fault => "EFAULT",
            Self::Interrupted => "EINTR",
            Self::Invalid => "EINVAL",
            Self::NoMemory => "ENOMEM",
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Again => "busy at the moment, try again",
            Self::Busy => "the context is being torn down",
            Self::Deadlock => "waiting would have been a deadlock",
            Self::Fault => "bad address",
            Self::Interrupted => "killed or cancelled",
            Self::Invalid => "no such context, or a bad argument",
            Self::NoMemory => "out of memory",
        };
        write!(f, "{what} ({})", self.name())
    }
}

impl core::error::Error for Errno {}
