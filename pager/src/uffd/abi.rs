//! The parts of `linux/userfaultfd.h` that are used here.

use core::mem::size_of;

use libc::{_IO, _IOR, _IOWR, Ioctl};

const UFFDIO: u32 = 0xaa;

pub(super) const UFFD_API: u64 = 0xaa;
/// A flag of the system call: serve faults of user mode only, which needs no privilege.
pub(super) const UFFD_USER_MODE_ONLY: libc::c_int = 1;

/// An ioctl of `/dev/userfaultfd`: returns a new descriptor.
pub(super) const USERFAULTFD_IOC_NEW: Ioctl = _IO(UFFDIO, 0x00);
pub(super) const UFFDIO_API: Ioctl = _IOWR::<Api>(UFFDIO, 0x3f);
pub(super) const UFFDIO_REGISTER: Ioctl = _IOWR::<Register>(UFFDIO, 0x00);
pub(super) const UFFDIO_WAKE: Ioctl = _IOR::<Range>(UFFDIO, 0x02);
pub(super) const UFFDIO_COPY: Ioctl = _IOWR::<Copy>(UFFDIO, 0x03);
pub(super) const UFFDIO_CONTINUE: Ioctl = _IOWR::<Install>(UFFDIO, 0x07);
pub(super) const UFFDIO_POISON: Ioctl = _IOWR::<Install>(UFFDIO, 0x08);

/// Linux 4.11.
pub(super) const UFFD_FEATURE_MISSING_SHMEM: u64 = 1 << 5;
/// Linux 4.14.
pub(super) const UFFD_FEATURE_THREAD_ID: u64 = 1 << 8;
/// Linux 5.14.
pub(super) const UFFD_FEATURE_MINOR_SHMEM: u64 = 1 << 10;
/// Linux 6.6.
pub(super) const UFFD_FEATURE_POISON: u64 = 1 << 14;

pub(super) const UFFDIO_REGISTER_MODE_MISSING: u64 = 1 << 0;
pub(super) const UFFDIO_REGISTER_MODE_MINOR: u64 = 1 << 2;

/// The same bit in COPY, CONTINUE and POISON.
pub(super) const DONTWAKE: u64 = 1 << 0;

pub(super) const UFFD_EVENT_PAGEFAULT: u8 = 0x12;

#[repr(C)]
pub(super) struct Api {
    pub api: u64,
    pub features: u64,
    pub ioctls: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub start: u64,
    pub len: u64,
}

#[repr(C)]
pub(super) struct Register {
    pub range: Range,
    pub mode: u64,
    pub ioctls: u64,
}

#[repr(C)]
pub(super) struct Copy {
    pub dst: u64,
    pub src: u64,
    pub len: u64,
    pub mode: u64,
    /// The bytes copied, or a negative error, where only part of a range was copied.
    pub copy: i64,
}

/// `uffdio_continue` and `uffdio_poison`, which are alike.
#[repr(C)]
pub(super) struct Install {
    pub range: Range,
    pub mode: u64,
    pub done: i64,
}

/// `uffd_msg`. The union is always a page fault, because no other events are enabled.
#[repr(C)]
#[derive(Default)]
pub(super) struct Message {
    pub event: u8,
    pub reserved: [u8; 7],
    pub flags: u64,
    pub address: u64,
    /// Filled in with `UFFD_FEATURE_THREAD_ID`.
    pub thread: u32,
    pub unused: u32,
}

// The ioctl numbers contain these sizes.
const _: () = assert!(
    size_of::<Api>() == 24
        && size_of::<Register>() == 32
        && size_of::<Copy>() == 40
        && size_of::<Install>() == 32
        && size_of::<Message>() == 32
);
