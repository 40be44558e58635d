//! How a system call fails.

use core::fmt;

/// The error that a system call answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Errno {
    /// Nothing of that name, or an argument that makes no sense.
    Inval,
    /// Nothing is mapped there, or not all of it.
    Fault,
    /// Not all of the range is mapped.
    NoMem,
    /// No more contexts or requests are to be had at the moment.
    Again,
    /// Something is mapped there already.
    Exist,
    /// The request has been cancelled, and its event will come.
    InProgress,
}

impl Errno {
    /// Its name in `errno.h`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inval => "EINVAL",
            Self::Fault => "EFAULT",
            Self::NoMem => "ENOMEM",
            Self::Again => "EAGAIN",
            Self::Exist => "EEXIST",
            Self::InProgress => "EINPROGRESS",
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl core::error::Error for Errno {}
