//! How a system call fails.

use core::fmt;

use super::lockdep::Deadlock;

/// The error of a system call, or of a page migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Errno {
    /// Try again: a lock is taken, a page has changed, there is no room for another context or event.
    /// `EAGAIN`.
    Again,
    /// A migration met a context that was being torn down. Only versions before the merged one answer
    /// this. `EBUSY`.
    Busy,
    /// Going to sleep here would have been a deadlock. A kernel hangs; the simulation notices and gives
    /// up. `EDEADLK`.
    Deadlock,
    /// Something is mapped at the address already. `EEXIST`.
    Exists,
    /// The caller's buffer cannot be written to, or nothing is mapped at the address. `EFAULT`.
    Fault,
    /// The request has been cancelled, and its event is still to come. `EINPROGRESS`.
    InProgress,
    /// The process was killed while it waited, or the request was cancelled. `EINTR`.
    Interrupted,
    /// There is no such context, or the argument makes no sense. `EINVAL`.
    Invalid,
    /// No memory for the ring, or part of the range is not mapped. `ENOMEM`.
    NoMemory,
}

impl Errno {
    /// Its name in the kernel.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Again => "EAGAIN",
            Self::Busy => "EBUSY",
            Self::Deadlock => "EDEADLK",
            Self::Exists => "EEXIST",
            Self::Fault => "EFAULT",
            Self::InProgress => "EINPROGRESS",
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
            Self::Exists => "something is mapped there already",
            Self::Fault => "bad address",
            Self::InProgress => "cancelled, the event is still to come",
            Self::Interrupted => "killed or cancelled",
            Self::Invalid => "no such context, or a bad argument",
            Self::NoMemory => "out of memory, or not all of it is mapped",
        };
        write!(f, "{what} ({})", self.name())
    }
}

impl core::error::Error for Errno {}

impl From<Deadlock> for Errno {
    fn from(_: Deadlock) -> Self {
        Self::Deadlock
    }
}
