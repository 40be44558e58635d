//! The system calls as they are.

use core::ffi::{c_int, c_long, c_void};
use core::fmt;
use core::ptr;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use crate::aio::errno::Errno;
use crate::aio::remap::Protection;

#[cfg(test)]
mod tests;

/// The error that a real system call answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error(c_int);

impl Error {
    fn last() -> Self {
        Self(io::Error::last_os_error().raw_os_error().unwrap_or(0))
    }

    /// The same error of the model. `None` if no call of the model answers that.
    #[must_use]
    pub fn errno(self) -> Option<Errno> {
        Some(match self.0 {
            libc::EINVAL => Errno::Invalid,
            libc::EFAULT => Errno::Fault,
            libc::ENOMEM => Errno::NoMemory,
            libc::EAGAIN => Errno::Again,
            libc::EEXIST => Errno::Exists,
            libc::EINPROGRESS => Errno::InProgress,
            _ => return None,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.errno(), self.0) {
            (Some(errno), _) => f.write_str(errno.name()),
            (None, libc::ENOSYS) => f.write_str("ENOSYS"),
            (None, libc::EPERM) => f.write_str("EPERM"),
            (None, libc::EACCES) => f.write_str("EACCES"),
            (None, number) => write!(f, "error {number}"),
        }
    }
}

impl core::error::Error for Error {}

/// `struct iocb`, little-endian.
#[repr(C)]
#[derive(Clone, Default)]
struct Iocb {
    data: u64,
    key: u32,
    rw_flags: i32,
    opcode: u16,
    priority: i16,
    file: u32,
    buffer: u64,
    length: u64,
    offset: i64,
    reserved: u64,
    flags: u32,
    event_fd: u32,
}

const PREAD: u16 = 0;
const POLL: u16 = 5;
/// The event is also counted in an eventfd.
const FLAG_RESFD: u32 = 1;

/// `struct io_event`
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct IoEvent {
    data: u64,
    iocb: u64,
    result: i64,
    result2: i64,
}

fn answer(result: c_long) -> Result<usize, Error> {
    usize::try_from(result).map_err(|_| Error::last())
}

/// The id of a new context.
pub(super) fn io_setup(requests: u32) -> Result<usize, Error> {
    let mut id: usize = 0;
    // SAFETY: the kernel maps a ring where nothing is, and writes its address to `id`.
    answer(unsafe { libc::syscall(libc::SYS_io_setup, requests, &raw mut id) }).map(|_| id)
}

/// # Safety
///
/// Whatever the kernel unmaps must not be in use: as many bytes as the ring had, from where it believes the ring
/// to be.
pub(super) unsafe fn io_destroy(id: usize) -> Result<(), Error> {
    // SAFETY: the caller keeps the contract.
    answer(unsafe { libc::syscall(libc::SYS_io_destroy, id) }).map(|_| ())
}

/// Takes at most so many events, without waiting; their data.
pub(super) fn io_getevents(id: usize, most: usize) -> Result<Vec<u64>, Error> {
    let mut events = vec![IoEvent::default(); most];
    let now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let (none, number) = (0 as c_long, most as c_long);
    // SAFETY: there is room for `most` events.
    let taken = answer(unsafe {
        libc::syscall(
            libc::SYS_io_getevents,
            id,
            none,
            number,
            events.as_mut_ptr(),
            &raw const now,
        )
    })?;
    Ok(events[..taken].iter().map(|event| event.data).collect())
}

/// Hands in a read of `/dev/zero`, which is complete at return.
pub(super) fn io_submit_read(id: usize, zero: BorrowedFd<'_>, data: u64) -> Result<(), Error> {
    let mut buffer = 0_u8;
    let iocb = Iocb {
        data,
        opcode: PREAD,
        file: zero.as_raw_fd() as u32,
        buffer: (&raw mut buffer) as u64,
        length: 1,
        ..Iocb::default()
    };
    // SAFETY: it is complete before the buffer goes: `/dev/zero` never waits.
    unsafe { io_submit(id, iocb) }
}

/// Hands in a poll of an eventfd. `done` counts its event.
pub(super) fn io_submit_poll(
    id: usize,
    waits_for: BorrowedFd<'_>,
    done: BorrowedFd<'_>,
    data: u64,
) -> Result<(), Error> {
    let iocb = Iocb {
        data,
        opcode: POLL,
        file: waits_for.as_raw_fd() as u32,
        buffer: u64::from(libc::POLLIN as u16),
        flags: FLAG_RESFD,
        event_fd: done.as_raw_fd() as u32,
        ..Iocb::default()
    };
    // SAFETY: a poll writes to no memory of ours.
    unsafe { io_submit(id, iocb) }
}

/// # Safety
///
/// What the request reads or writes has to be there until it is complete.
unsafe fn io_submit(id: usize, mut iocb: Iocb) -> Result<(), Error> {
    let mut list = [&raw mut iocb];
    // SAFETY: one request, copied before the call returns; the caller answers for what it points to.
    answer(unsafe { libc::syscall(libc::SYS_io_submit, id, 1 as c_long, list.as_mut_ptr()) })
        .map(|_| ())
}

/// # Safety
///
/// What is moved, unmapped or shrunk must not be in use, at both places.
pub(super) unsafe fn mremap(
    old: usize,
    old_length: usize,
    new_length: usize,
    flags: u32,
    new: usize,
) -> Result<usize, Error> {
    // Not `libc::mremap`: whether it hands on the last argument depends on the flags.
    // SAFETY: the caller keeps the contract.
    answer(unsafe {
        libc::syscall(
            libc::SYS_mremap,
            old,
            old_length,
            new_length,
            flags as usize,
            new,
        )
    })
}

/// # Safety
///
/// The range must not be in use.
pub(super) unsafe fn munmap(at: usize, length: usize) -> Result<(), Error> {
    // SAFETY: the caller keeps the contract.
    answer(unsafe { libc::munmap(at as *mut c_void, length) }.into()).map(|_| ())
}

/// # Safety
///
/// The range must not be in use.
pub(super) unsafe fn mprotect(
    at: usize,
    length: usize,
    protection: Protection,
) -> Result<(), Error> {
    // SAFETY: the caller keeps the contract.
    answer(unsafe { libc::mprotect(at as *mut c_void, length, bits(protection)) }.into())
        .map(|_| ())
}

fn bits(protection: Protection) -> c_int {
    match protection {
        Protection::None => libc::PROT_NONE,
        Protection::Read => libc::PROT_READ,
        Protection::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
    }
}

/// Maps shared memory of our own at that very place, if nothing is there.
pub(super) fn mmap_shared(at: usize, length: usize) -> Result<(), Error> {
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: nothing is there, or it is an error.
    let mapped = unsafe {
        libc::mmap(
            at as *mut c_void,
            length,
            bits(Protection::ReadWrite),
            flags,
            -1,
            0,
        )
    };
    if mapped == libc::MAP_FAILED {
        return Err(Error::last());
    }
    if mapped as usize == at {
        return Ok(());
    }
    // Kernels before 4.17 take the place for a hint.
    // SAFETY: it is the mapping that was made just now.
    unsafe { munmap(mapped as usize, length)? };
    Err(Error(libc::EEXIST))
}

/// A word of memory.
///
/// # Safety
///
/// It has to be mapped and readable, and not of a ring whose context is destroyed.
pub(super) unsafe fn load(at: usize) -> u32 {
    // SAFETY: the caller keeps the contract. (Volatile: the kernel writes there too.)
    unsafe { ptr::read_volatile(at as *const u32) }
}

/// # Safety
///
/// It has to be mapped and writable, and not of a ring whose context is destroyed.
pub(super) unsafe fn store(at: usize, word: u32) {
    // SAFETY: the caller keeps the contract.
    unsafe { ptr::write_volatile(at as *mut u32, word) }
}

pub(super) fn eventfd() -> Result<OwnedFd, Error> {
    // SAFETY: no memory is involved.
    let file = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    if file < 0 {
        return Err(Error::last());
    }
    // SAFETY: it is new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(file) })
}

/// Counts one in an eventfd.
pub(super) fn eventfd_add_one(file: BorrowedFd<'_>) -> Result<(), Error> {
    let one = 1_u64.to_ne_bytes();
    // SAFETY: eight bytes.
    let written = unsafe { libc::write(file.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    match written {
        8 => Ok(()),
        _ => Err(Error::last()),
    }
}

/// Waits until an eventfd can be read; `false` if it takes too long.
pub(super) fn wait_until_readable(file: BorrowedFd<'_>, milliseconds: c_int) -> bool {
    let mut poll = libc::pollfd {
        fd: file.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one entry, and it is there.
    unsafe { libc::poll(&raw mut poll, 1, milliseconds) == 1 }
}
