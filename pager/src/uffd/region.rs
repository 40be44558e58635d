//! Memory whose faults are read and served here, and the file behind it.

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

/// Read-only memory whose pages are mapped by handlers.
///
/// It owns its addresses until it is dropped. Their content changes only when the kernel maps a page or
/// takes one out.
#[derive(Debug)]
pub(crate) struct Region {
    start: NonNull<u8>,
    pages: usize,
    /// The mapped file, for policies that put pages behind the mapping.
    behind: Option<File>,
    /// `None` after [`close`](Self::close).
    faults: Option<Descriptor>,
}

// SAFETY: the memory is only read, and atomically. System calls on the descriptors may come from any thread.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// Maps and registers this many pages. None of them is there yet.
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
        // No handler serves the faults of a child, which would see zeroes or uncommitted pages.
        region.advise(0..pages, libc::MADV_DONTFORK)?;
        // Fails now if pages cannot be taken out, for example because the process locks its memory.
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

    /// The next fault, if there is one now.
    pub(crate) fn read_fault(&self) -> io::Result<Option<PageFault>> {
        self.descriptor().read()
    }

    /// The page of a fault.
    pub(crate) fn page_of(&self, fault: PageFault) -> usize {
        (fault.address - self.address(0)) / PAGE_SIZE
    }

    /// Sends SIGBUS to the thread that waits in this fault, for kernels that cannot poison a page.
    pub(crate) fn interrupt(&self, fault: PageFault) {
        let thread = fault.thread as libc::pid_t;
        // SAFETY: the calls take numbers. If the thread has ended meanwhile, no other process gets the signal.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, libc::SIGBUS) };
    }

    /// Reads an aligned word. If its page is not there, this waits in a page fault.
    pub(crate) fn load(&self, at: usize) -> u32 {
        self.must_contain(at, 4);
        assert!(at % 4 == 0, "{at} is not a multiple of four");
        // SAFETY: the four bytes are aligned and mapped for as long as the region lives, and no Rust code
        // writes them. Relaxed atomic loads of this size are allowed on read-only memory.
        unsafe { AtomicU32::from_ptr(self.start.as_ptr().add(at).cast()) }.load(Relaxed)
    }

    /// Reads bytes, without any order among them.
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
            // SAFETY: as in `load`, for an aligned word of the width of a pointer.
            let word = unsafe { AtomicUsize::from_ptr(from.add(at).cast()) }.load(Relaxed);
            into.copy_from_slice(&word.to_ne_bytes());
            at += WORD;
        }
        for into in words.into_remainder() {
            *into = byte(at);
            at += 1;
        }
    }

    /// Ends all service: threads that touch the memory from now on get SIGBUS, and so do the threads that
    /// wait in a fault.
    ///
    /// The handlers must have ended.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        if self.faults.is_some() {
            // Touching a page beyond the end of a mapped file causes SIGBUS on every kernel. This must come
            // before the descriptor is closed, which wakes all waiting threads: they would read zeroes.
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

    /// Closes the descriptor and nothing else.
    #[cfg(test)]
    pub(super) fn close_descriptor(&mut self) {
        self.faults = None;
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
            .expect("no fault is served after `close`")
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
        // SAFETY: the region owns the range. The advice used here takes pages out, into which no Rust reference
        // points, or concerns child processes.
        match unsafe { libc::madvise(start.cast(), pages.len() * PAGE_SIZE, advice) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn try_take_out(&self, pages: Range<usize>) -> io::Result<()> {
        if let Some(file) = &self.behind {
            // Without this a late CONTINUE would map the old page again.
            let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
            let offset = |pages: usize| {
                libc::off_t::try_from(pages * PAGE_SIZE)
                    .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))
            };
            let (start, len) = (offset(pages.start)?, offset(pages.len())?);
            // SAFETY: the call takes numbers and no pointer.
            let answer = unsafe { libc::fallocate(file.as_raw_fd(), mode, start, len) };
            if answer != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        // Needed for files, too: poison is in the mapping and not in the file.
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
            .expect("a policy that fills pages sets `BEHIND`");
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
        // SAFETY: the region owns the range, and this is the end of the region.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len()) };
    }
}

/// A file in memory that has this length and no pages.
fn empty_file(len: usize) -> io::Result<File> {
    let name = c"seqschedlock-pager";
    // SAFETY: the name is a C string.
    let file = owned(unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) })?;
    let file = File::from(file);
    file.set_len(len as u64)?;
    Ok(file)
}

/// Maps a file, or anonymous memory, for reading: at any address, or in place of the mapping that is there.
fn map(at: Option<NonNull<u8>>, len: usize, file: Option<&File>) -> io::Result<NonNull<u8>> {
    let kind = match file {
        Some(_) => libc::MAP_SHARED,
        None => libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    };
    let place = at.map_or(0, |_| libc::MAP_FIXED);
    // SAFETY: a mapping that is replaced belongs to a region, and no Rust reference points into it.
    // Otherwise the kernel chooses unused addresses.
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
