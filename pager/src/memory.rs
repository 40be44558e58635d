//! What a policy asks of the memory it serves, and nothing about how it is done.

use core::ops::Range;
use std::io;

/// The bytes in a page.
pub const PAGE_SIZE: usize = 4096;

/// Memory whose pages are loaded when they are touched.
///
/// The real one is made of ioctls on a userfaultfd. The models in `tests/loom_pager.rs` have one of small
/// atomics, so that loom explores the policies themselves.
pub trait Memory {
    /// What a page holds.
    type Bytes;

    /// Maps a page with these bytes, if none is mapped. Everybody sees it at once (`UFFDIO_COPY`).
    ///
    /// A page that is there already stays, and is no error.
    ///
    /// # Errors
    ///
    /// Whatever else the kernel answers, for want of memory say.
    fn copy(&self, page: usize, bytes: &Self::Bytes) -> io::Result<()>;

    /// Puts these bytes behind the mapping, into the page cache of the file that is mapped. Nobody sees them
    /// there until the page is [opened](Self::open).
    ///
    /// # Errors
    ///
    /// Whatever the kernel answers, for want of memory say.
    fn fill(&self, page: usize, bytes: &Self::Bytes) -> io::Result<()>;

    /// Maps what is behind the mapping *now*, whoever put it there (`UFFDIO_CONTINUE`).
    ///
    /// # Errors
    ///
    /// Whatever the kernel answers, apart from the answers in [`Opened`].
    fn open(&self, page: usize) -> io::Result<Opened>;

    /// Maps the refusal to map anything: whoever touches the page gets SIGBUS (`UFFDIO_POISON`). Lasts until
    /// the page is taken out. `false` if it cannot be done.
    fn poison(&self, page: usize) -> bool;

    /// Takes pages out, from the mapping and from behind it. Nobody sees them once it has returned.
    fn take_out(&self, pages: Range<usize>);

    /// Lets those go on who wait for this page. They look again, and fault again if it is not there.
    fn wake(&self, page: usize);
}

/// What became of an attempt to open a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It is mapped.
    Mapped,
    /// There is nothing behind the mapping: it has been taken out.
    Gone,
}
