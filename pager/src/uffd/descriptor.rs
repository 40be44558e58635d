//! A userfaultfd and its ioctls, with the expected errors turned into answers.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use libc::Ioctl;

use super::{abi, open};
use crate::memory::{Opened, PAGE_SIZE};

/// A userfaultfd, ready for use.
#[derive(Debug)]
pub(super) struct Descriptor {
    file: OwnedFd,
    features: u64,
}

/// A thread has touched a page that is not there, and waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageFault {
    /// The start of the page.
    pub address: usize,
    pub thread: u32,
}

impl Descriptor {
    pub(super) fn new(behind: bool) -> io::Result<Self> {
        let (file, features) = open::descriptor(behind)?;
        Ok(Self { file, features })
    }

    pub(super) fn can_poison(&self) -> bool {
        self.features & abi::UFFD_FEATURE_POISON != 0
    }

    /// Makes it behave as on a kernel without POISON.
    #[cfg(test)]
    pub(super) fn forget_poison(&mut self) {
        self.features &= !abi::UFFD_FEATURE_POISON;
    }

    /// From now on a fault in this range becomes an event.
    pub(super) fn register(&self, start: usize, len: usize, behind: bool) -> io::Result<()> {
        // With MISSING alone the kernel would map pages of the file by itself. With MINOR alone it would
        // make up pages of zeroes.
        let mut register = abi::Register {
            range: range(start, len),
            mode: match behind {
                true => abi::UFFDIO_REGISTER_MODE_MISSING | abi::UFFDIO_REGISTER_MODE_MINOR,
                false => abi::UFFDIO_REGISTER_MODE_MISSING,
            },
            ioctls: 0,
        };
        self.ioctl(abi::UFFDIO_REGISTER, &mut register)
    }

    /// Maps a new page with these bytes and wakes no thread. A page that is there already stays.
    pub(super) fn copy(&self, start: usize, bytes: &[u8; PAGE_SIZE]) -> io::Result<()> {
        let mut copy = abi::Copy {
            dst: start as u64,
            src: bytes.as_ptr() as u64,
            len: PAGE_SIZE as u64,
            mode: abi::DONTWAKE,
            copy: 0,
        };
        unless_there(self.ioctl(abi::UFFDIO_COPY, &mut copy))
    }

    /// Maps the page that the file has there and wakes no thread.
    pub(super) fn open(&self, start: usize) -> io::Result<Opened> {
        match unless_there(self.install(abi::UFFDIO_CONTINUE, start)) {
            Ok(()) => Ok(Opened::Mapped),
            Err(error) if error.raw_os_error() == Some(libc::EFAULT) => Ok(Opened::Gone),
            Err(error) => Err(error),
        }
    }

    /// Poisons the page and wakes no thread. A page that is there already stays.
    pub(super) fn poison(&self, start: usize) -> io::Result<()> {
        unless_there(self.install(abi::UFFDIO_POISON, start))
    }

    pub(super) fn wake(&self, start: usize) -> io::Result<()> {
        self.ioctl(abi::UFFDIO_WAKE, &mut range(start, PAGE_SIZE))
    }

    /// The next fault, if there is one now.
    pub(super) fn read(&self) -> io::Result<Option<PageFault>> {
        let mut message = abi::Message::default();
        let size = size_of::<abi::Message>();
        // SAFETY: the buffer has the given size, and any bytes are a valid `Message`.
        let read = unsafe { libc::read(self.file.as_raw_fd(), (&raw mut message).cast(), size) };
        if read == size as isize {
            let fault = PageFault {
                address: message.address as usize & !(PAGE_SIZE - 1),
                thread: message.thread,
            };
            return Ok((message.event == abi::UFFD_EVENT_PAGEFAULT).then_some(fault));
        }
        match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            error => Err(error),
        }
    }

    fn install(&self, request: Ioctl, start: usize) -> io::Result<()> {
        let mut install = abi::Install {
            range: range(start, PAGE_SIZE),
            mode: abi::DONTWAKE,
            done: 0,
        };
        self.ioctl(request, &mut install)
    }

    fn ioctl<T>(&self, request: Ioctl, argument: &mut T) -> io::Result<()> {
        loop {
            // SAFETY: every caller passes the struct that belongs to its request. The ioctls change pages of
            // registered ranges only, and no Rust reference points into those. COPY reads bytes that its caller
            // borrows.
            if unsafe { libc::ioctl(self.file.as_raw_fd(), request, &raw mut *argument) } == 0 {
                return Ok(());
            }
            match io::Error::last_os_error() {
                // The address space was being changed, by a fork for example. The ioctl has done nothing.
                error if error.kind() == io::ErrorKind::WouldBlock => std::thread::yield_now(),
                error => return Err(error),
            }
        }
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn range(start: usize, len: usize) -> abi::Range {
    abi::Range {
        start: start as u64,
        len: len as u64,
    }
}

/// Treats a page that is there already as success. The policies ensure that such a page is a valid one.
fn unless_there(answer: io::Result<()>) -> io::Result<()> {
    match answer {
        Err(error) if error.raw_os_error() == Some(libc::EEXIST) => Ok(()),
        answer => answer,
    }
}
