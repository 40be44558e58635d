//! The operations on memory that the policies are written in.

use core::ops::Range;
use std::io;

/// The bytes in a page.
pub const PAGE_SIZE: usize = 4096;

/// Memory whose pages are loaded when they are touched.
///
/// The real implementation makes ioctls on a userfaultfd. The models in `tests/loom_pager.rs` implement
/// this trait with one small atomic, so loom explores the code of the policies.
pub trait Memory {
    /// The content of a page.
    type Bytes;

    /// Maps a page with these bytes (`UFFDIO_COPY`). Every thread can read it at once.
    ///
    /// If a page is mapped already, that page stays and the answer is `Ok`.
    ///
    /// # Errors
    ///
    /// Any other error of the kernel, such as being out of memory.
    fn copy(&self, page: usize, bytes: &Self::Bytes) -> io::Result<()>;

    /// Puts these bytes behind the mapping: into the page cache of the mapped file. No thread can read them
    /// until the page is [opened](Self::open).
    ///
    /// # Errors
    ///
    /// Any error of the kernel, such as being out of memory.
    fn fill(&self, page: usize, bytes: &Self::Bytes) -> io::Result<()>;

    /// Maps the page that is behind the mapping *now* (`UFFDIO_CONTINUE`). Another handler may have put it
    /// there.
    ///
    /// # Errors
    ///
    /// Any error of the kernel that is not one of [`Opened`].
    fn open(&self, page: usize) -> io::Result<Opened>;

    /// Marks the page as unavailable (`UFFDIO_POISON`). A thread that touches it gets SIGBUS, until the page
    /// is taken out. `false` if the kernel cannot do it.
    fn poison(&self, page: usize) -> bool;

    /// Takes pages out of the mapping and from behind it. No thread reads them after it has returned.
    fn take_out(&self, pages: Range<usize>);

    /// Wakes the threads that wait for this page. They fault again if the page is not there.
    fn wake(&self, page: usize);
}

/// The result of opening a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It is mapped.
    Mapped,
    /// There is no page behind the mapping: it has been taken out.
    Gone,
}
