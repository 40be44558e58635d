//! The three ways to get a userfaultfd, and why each may be refused.

use core::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use super::abi;

/// Why this system, as it is set up, provides no userfaultfd.
///
/// The [`io::Error`] of [`Pager::new`](crate::Pager::new) contains it, so that a program can tell a system
/// that does not permit pagers from a failure.
#[derive(Debug)]
pub enum Unavailable {
    /// None of the three ways is permitted.
    Forbidden {
        /// The error of `/dev/userfaultfd`.
        device: io::Error,
        /// The error of `userfaultfd(2)`.
        call: io::Error,
        /// The error of `userfaultfd(2)` with `UFFD_USER_MODE_ONLY`.
        user_mode: io::Error,
    },
    /// The kernel lacks this feature.
    Lacks(&'static str),
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden {
                device,
                call,
                user_mode,
            } => {
                write!(
                    f,
                    "no userfaultfd: /dev/userfaultfd: {device} (the permissions of that file); \
                     userfaultfd(2): {call} (vm.unprivileged_userfaultfd, CAP_SYS_PTRACE); \
                     with UFFD_USER_MODE_ONLY: {user_mode} "
                )?;
                f.write_str(match user_mode.raw_os_error() {
                    Some(libc::ENOSYS) => "(a kernel without CONFIG_USERFAULTFD)",
                    Some(libc::EINVAL) => "(a kernel older than 5.11)",
                    _ => "(a seccomp filter or another security policy)",
                })
            }
            Self::Lacks(what) => write!(f, "no usable userfaultfd: the kernel lacks {what}"),
        }
    }
}

impl std::error::Error for Unavailable {}

impl From<Unavailable> for io::Error {
    fn from(unavailable: Unavailable) -> Self {
        let kind = match unavailable {
            Unavailable::Forbidden { .. } => io::ErrorKind::PermissionDenied,
            Unavailable::Lacks(_) => io::ErrorKind::Unsupported,
        };
        io::Error::new(kind, unavailable)
    }
}

/// Checks that pagers work on this system, as it is set up, under every policy.
///
/// # Errors
///
/// An error that contains an [`Unavailable`] if they do not. Any other error means that the check itself
/// failed.
pub fn available() -> io::Result<()> {
    descriptor(true).map(drop)
}

/// A new userfaultfd, and the features that are enabled on it.
pub(super) fn descriptor(behind: bool) -> io::Result<(OwnedFd, u64)> {
    let asked = open()?;
    let offered = handshake(&asked, 0)?;
    // A descriptor accepts the handshake only once, so a first one is used to ask for the features.
    let mut wanted = abi::UFFD_FEATURE_THREAD_ID;
    if behind {
        wanted |= abi::UFFD_FEATURE_MISSING_SHMEM | abi::UFFD_FEATURE_MINOR_SHMEM;
    }
    if offered & wanted != wanted {
        let lacks = match behind {
            true => "UFFD_FEATURE_MINOR_SHMEM (Linux 5.14)",
            false => "UFFD_FEATURE_THREAD_ID (Linux 4.14)",
        };
        return Err(Unavailable::Lacks(lacks).into());
    }
    wanted |= offered & abi::UFFD_FEATURE_POISON;
    let used = open()?;
    handshake(&used, wanted)?;
    Ok((used, wanted))
}

/// Enables these features, and returns the features that the kernel offers.
fn handshake(descriptor: &OwnedFd, features: u64) -> io::Result<u64> {
    let mut api = abi::Api {
        api: abi::UFFD_API,
        features,
        ioctls: 0,
    };
    // SAFETY: the ioctl reads and writes one `uffdio_api`, which this is.
    match unsafe { libc::ioctl(descriptor.as_raw_fd(), abi::UFFDIO_API, &raw mut api) } {
        0 => Ok(api.features),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Tries the device, then the call, then the call for user mode only. The first two also serve faults of
/// the kernel, which happen when a system call is given an address in the memory.
fn open() -> io::Result<OwnedFd> {
    let device = match by_device() {
        Ok(descriptor) => return Ok(descriptor),
        Err(error) => refusal(error)?,
    };
    let call = match by_call(0) {
        Ok(descriptor) => return Ok(descriptor),
        Err(error) => refusal(error)?,
    };
    let user_mode = match by_call(abi::UFFD_USER_MODE_ONLY) {
        Ok(descriptor) => return Ok(descriptor),
        Err(error) => refusal(error)?,
    };
    Err(Unavailable::Forbidden {
        device,
        call,
        user_mode,
    }
    .into())
}

const FLAGS: libc::c_int = libc::O_CLOEXEC | libc::O_NONBLOCK;

fn by_device() -> io::Result<OwnedFd> {
    let device = File::options()
        .read(true)
        .write(true)
        .open("/dev/userfaultfd")?;
    // SAFETY: the argument of this ioctl is a set of flags, not a pointer.
    let answer = unsafe { libc::ioctl(device.as_raw_fd(), abi::USERFAULTFD_IOC_NEW, FLAGS) };
    owned(answer)
}

fn by_call(flags: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: the call takes flags and no pointer.
    let answer = unsafe { libc::syscall(libc::SYS_userfaultfd, FLAGS | flags) };
    owned(answer as libc::c_int)
}

/// The descriptor that a system call has returned.
pub(super) fn owned(answer: libc::c_int) -> io::Result<OwnedFd> {
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(answer) })
}

/// Moves on to the next way if this one is not permitted or does not exist; any other error ends the
/// attempt.
fn refusal(error: io::Error) -> io::Result<io::Error> {
    match error.raw_os_error() {
        Some(
            libc::EPERM
            | libc::EACCES
            | libc::ENOSYS
            | libc::ENODEV
            | libc::ENXIO
            | libc::ENOENT
            | libc::EINVAL,
        ) => Ok(error),
        _ => Err(error),
    }
}
