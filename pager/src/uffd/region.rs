//! Memory whose faults are ours, and what is behind it.

use core::ops::Range;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::fs::FileExt as _;

use super::descriptor::{Descriptor, PageFault};
use super::open::{Unavailable, owned};
use crate::memory::{Memory, Opened, PAGE_SIZE};

/// Pages of memory, to be read only, that are mapped by handlers.
///
/// As long as it lives the addresses are its own. What can be read there changes when the kernel maps a page or
/// takes one out, and never otherwise.
#[derive(Debug)]
pub(crate) struct Region {
    start: NonNull<u8>,
    pages: usize,
    /// The file that is mapped, where pages are put behind the mapping first.
    behind: Option<File>,
    /// None once it is [closed](Self::close).
    faults: Option<Descriptor>,
}

// SAFETY: it is memory that is read atomically, and descriptors; every system call on them may come from any
// thread.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// Maps and registers so many pages; none of them is there yet.
    pub(crate) fn new(pages: usize, behind: bool) -> io::Result<Self> {
        // SAFETY: the call takes a number.
        if unsafe { libc::sysconf(libc::_SC_PAGESIZE) } != PAGE_SIZE as libc::c_long {
            return Err(Unavailable::Lacks("pages of 4096 bytes").into());
        }
        let faults = Descriptor::new(behind)?;
        let len = pages
            .checked_mul(PAGE_SIZE)
            .filter(|len| isize::try_from(*len).is_ok())
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let behind = behind.then(|| empty_file(len)).transpose()?;
        let region = Self {
            start: map(None, len, behind.as_ref())?,
            pages,
            behind,
            faults: Some(faults),
        };
        // A child would see pages of zeroes, or some that are not committed: no handler serves it.
        region.advise(0..pages, libc::MADV_DONTFORK)?;
        // Finds out now whether pages can be taken out. (They cannot where memory is locked.)
        region.try_take_out(0..pages)?;
        region
            .descriptor()
            .register(region.address(0), len, region.behind.is_some())?;
        Ok(region)
    }

    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.start.as_ptr()
    }

    pub(crate) fn pages(&self) -> usize {
        self.pages
    }

    /// The next fault; none if there is none now.
    pub(crate) fn read_fault(&self) -> io::Result<Option<PageFault>> {
        self.descriptor().read()
    }

    /// The page of a fault.
    pub(crate) fn page_of(&self, fault: PageFault) -> usize {
        (fault.address - self.address(0)) / PAGE_SIZE
    }

    /// Sends SIGBUS to a thread that waits in a fault: for kernels that cannot poison a page.
    pub(crate) fn interrupt(&self, fault: PageFault) {
        let thread = fault.thread as libc::pid_t;
        // SAFETY: the calls take numbers. A thread that has ended meanwhile is none of this process's, and
        // nobody gets the signal.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, libc::SIGBUS) };
    }

    /// Reads a word, aligned as one is. Faults, and waits for it, if its page is not there.
    pub(crate) fn load(&self, at: usize) -> u32 {
        self.must_contain(at, 4);
        assert!(at % 4 == 0, "{at} is no multiple of four");
        // SAFETY: the four bytes are mapped for as long as the region lives, aligned, and no Rust code writes
        // them. Loads of four bytes or fewer, relaxed, may be of memory that is read-only.
        unsafe { AtomicU32::from_ptr(self.start.as_ptr().add(at).cast()) }.load(Relaxed)
    }

    /// Reads bytes, in any order and at any speed.
    pub(crate) fn read(&self, at: usize, into: &mut [u8]) {
        self.must_contain(at, into.len());
        let from = self.start.as_ptr().wrapping_add(at);
        // SAFETY: as in `load`, for bytes.
        let byte = |at| unsafe { AtomicU8::from_ptr(from.add(at)) }.load(Relaxed);
        const WORD: usize = size_of::<usize>();
        let head = from.align_offset(WORD).min(into.len());
        let (head, rest) = into.split_at_mut(head);
        for (at, into) in head.iter_mut().enumerate() {
            *into = byte(at);
        }
        let mut at = head.len();
        let mut words = rest.chunks_exact_mut(WORD);
        for into in &mut words {
            // SAFETY: as in `load`, for a word that is aligned, and no wider than a pointer.
            let word = unsafe { AtomicUsize::from_ptr(from.add(at).cast()) }.load(Relaxed);
            into.copy_from_slice(&word.to_ne_bytes());
            at += WORD;
        }
        for into in words.into_remainder() {
            *into = byte(at);
            at += 1;
        }
    }

    /// Ends all service: whoever touches the memory from now on gets SIGBUS, and so do those who wait.
    ///
    /// Nobody may be reading faults any more.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        if self.faults.is_some() {
            // A page that is behind the end of its file is a SIGBUS on every kernel. First this, then the
            // descriptor: its end wakes all who wait, and they look again.
            map(Some(self.start), self.len(), Some(&empty_file(0)?))?;
            self.faults = None;
            self.behind = None;
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn forget_poison(&mut self) {
        self.faults.as_mut().expect("it is open").forget_poison();
    }

    fn len(&self) -> usize {
        self.pages * PAGE_SIZE
    }

    fn address(&self, page: usize) -> usize {
        self.start.as_ptr() as usize + page * PAGE_SIZE
    }

    fn descriptor(&self) -> &Descriptor {
        self.faults
            .as_ref()
            .expect("nobody serves faults once it is closed")
    }

    fn must_contain(&self, at: usize, bytes: usize) {
        assert!(
            at.checked_add(bytes).is_some_and(|end| end <= self.len()),
            "{bytes} bytes at {at} are not all in {} pages",
            self.pages
        );
    }

    pub(super) fn advise(&self, pages: Range<usize>, advice: libc::c_int) -> io::Result<()> {
        let start = self.start.as_ptr().wrapping_add(pages.start * PAGE_SIZE);
        // SAFETY: the range is the region's own. What is advised takes pages out, of which nobody has a
        // reference in Rust, or concerns children.
        match unsafe { libc::madvise(start.cast(), pages.len() * PAGE_SIZE, advice) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn try_take_out(&self, pages: Range<usize>) -> io::Result<()> {
        if let Some(file) = &self.behind {
            // First what is behind: if it were there still after the mapping is gone, a late CONTINUE would
            // map it again.
            let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
            let offset = |pages: usize| {
                libc::off_t::try_from(pages * PAGE_SIZE)
                    .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))
            };
            let (start, len) = (offset(pages.start)?, offset(pages.len())?);
            // SAFETY: the call takes numbers, no pointer.
            let answer = unsafe { libc::fallocate(file.as_raw_fd(), mode, start, len) };
            if answer != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        // Of poisoned pages there is nothing behind, so this is needed for both kinds.
        self.advise(pages, libc::MADV_DONTNEED)
    }
}

impl Memory for Region {
    type Bytes = [u8; PAGE_SIZE];

    fn copy(&self, page: usize, bytes: &[u8; PAGE_SIZE]) -> io::Result<()> {
        self.descriptor().copy(self.address(page), bytes)
    }

    fn fill(&self, page: usize, bytes: &[u8; PAGE_SIZE]) -> io::Result<()> {
        let file = self
            .behind
            .as_ref()
            .expect("a policy that fills says so by `BEHIND`");
        file.write_all_at(bytes, (page * PAGE_SIZE) as u64)
    }

    fn open(&self, page: usize) -> io::Result<Opened> {
        self.descriptor().open(self.address(page))
    }

    fn poison(&self, page: usize) -> bool {
        let faults = self.descriptor();
        faults.can_poison() && faults.poison(self.address(page)).is_ok()
    }

    fn take_out(&self, pages: Range<usize>) {
        if pages.is_empty() {
            return;
        }
        if let Err(error) = self.try_take_out(pages.clone()) {
            panic!("cannot take out the pages {pages:?}: {error}; they may be stale from now on");
        }
    }

    fn wake(&self, page: usize) {
        self.descriptor()
            .wake(self.address(page))
            .expect("the range is registered");
    }
}

impl AsFd for Region {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor().as_fd()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the range is the region's own, and it is the last to know it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len()) };
    }
}

/// A file of so many bytes in memory, all of it holes.
fn empty_file(len: usize) -> io::Result<File> {
    let name = c"seqschedlock-pager";
    // SAFETY: the name is a C string.
    let file = owned(unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) })?;
    let file = File::from(file);
    file.set_len(len as u64)?;
    Ok(file)
}

/// Maps memory to be read, of a file or of nothing, anywhere or in place of what is there.
fn map(at: Option<NonNull<u8>>, len: usize, file: Option<&File>) -> io::Result<NonNull<u8>> {
    let kind = match file {
        Some(_) => libc::MAP_SHARED,
        None => libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    };
    let place = at.map_or(0, |_| libc::MAP_FIXED);
    // SAFETY: what is replaced is a region's own, of which nobody has a reference in Rust; otherwise the kernel
    // chooses addresses that nobody has.
    let start = unsafe {
        libc::mmap(
            at.map_or(ptr::null_mut(), |at| at.as_ptr().cast()),
            len,
            libc::PROT_READ,
            kind | place,
            file.map_or(-1, |file| file.as_raw_fd()),
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(start.cast()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}
