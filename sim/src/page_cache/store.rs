//! Where pages come from and go to: the file system's `readpage` and `writepage`, down to the disk.

#[cfg(unix)]
use std::fs::File;
use std::io;
use std::sync::Arc;

use core::fmt;
use core::time::Duration;

use super::page::PAGE_SIZE;
use crate::locks::{read, write};
use crate::sync::{RwLock, sleep};

/// What lies under a page cache. Pages are [`PAGE_SIZE`] bytes and counted from 0.
///
/// Calls may sleep and may run concurrently, even for one page: a read that overlaps a write may
/// find old bytes, new ones, or some of each. The cache has to cope with that.
pub trait Store: fmt::Debug + Send + Sync {
    /// Reads a page. What lies beyond the end reads as zeros.
    ///
    /// # Errors
    ///
    /// Those of the device; the fault that needed the page ends in `SIGBUS`.
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_SIZE]) -> io::Result<()>;

    /// Writes the first bytes of a page: all of them, or on the last page of the file as many as
    /// lie within it.
    ///
    /// # Errors
    ///
    /// Those of the device; the caller gets [`Errno::Io`](super::Errno::Io).
    fn write_page(&self, index: u64, bytes: &[u8]) -> io::Result<()>;

    /// The size in bytes.
    ///
    /// # Errors
    ///
    /// Those of the device.
    fn size(&self) -> io::Result<u64>;

    /// Truncates, or extends with zeros.
    ///
    /// # Errors
    ///
    /// Those of the device.
    fn set_size(&self, size: u64) -> io::Result<()>;
}

/// A store may be shared: with a later mapping under another policy, or with a test that inspects
/// it.
impl<S: Store + ?Sized> Store for Arc<S> {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        (**self).read_page(index, page)
    }

    fn write_page(&self, index: u64, bytes: &[u8]) -> io::Result<()> {
        (**self).write_page(index, bytes)
    }

    fn size(&self) -> io::Result<u64> {
        (**self).size()
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        (**self).set_size(size)
    }
}

fn offset(index: u64) -> io::Result<u64> {
    index
        .checked_mul(PAGE_SIZE as u64)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "beyond the largest file"))
}

/// A real file, read and written by `pread` and `pwrite`.
///
/// It is opened like any other file: the kernel's own page cache lies under the simulated one and
/// is coherent with itself, so a read returns what was written last.
#[cfg(unix)]
#[derive(Debug)]
pub struct FileStore {
    file: File,
}

#[cfg(unix)]
impl FileStore {
    /// A store over `file`, which should be open for reading and writing.
    #[must_use]
    pub fn new(file: File) -> Self {
        Self { file }
    }
}

#[cfg(unix)]
impl Store for FileStore {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        use std::os::unix::fs::FileExt as _;
        let offset = offset(index)?;
        let mut done = 0;
        while done < PAGE_SIZE {
            match self.file.read_at(&mut page[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(more) => done += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        page[done..].fill(0);
        Ok(())
    }

    fn write_page(&self, index: u64, bytes: &[u8]) -> io::Result<()> {
        use std::os::unix::fs::FileExt as _;
        self.file.write_all_at(bytes, offset(index)?)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.file.set_len(size)
    }
}

/// Memory with any latency you like.
pub struct MemStore {
    bytes: RwLock<Vec<u8>>,
    latency: Duration,
}

impl MemStore {
    /// `size` zero bytes. Every read and write of a page sleeps for `latency` first.
    #[must_use]
    pub fn new(size: u64, latency: Duration) -> Self {
        let size = usize::try_from(size).expect("the size of a MemStore fits the memory");
        Self::with_bytes(vec![0; size], latency)
    }

    /// As [`new`](Self::new), with these bytes in it.
    #[must_use]
    pub fn with_bytes(bytes: Vec<u8>, latency: Duration) -> Self {
        Self {
            bytes: RwLock::new(bytes),
            latency,
        }
    }

    fn seek(&self) {
        if !self.latency.is_zero() {
            sleep(self.latency);
        }
    }
}

impl Store for MemStore {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        self.seek();
        let start = usize::try_from(offset(index)?).unwrap_or(usize::MAX);
        let bytes = read(&self.bytes);
        let there = bytes.get(start..).unwrap_or_default();
        let there = &there[..there.len().min(PAGE_SIZE)];
        page[..there.len()].copy_from_slice(there);
        page[there.len()..].fill(0);
        Ok(())
    }

    fn write_page(&self, index: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek();
        let start = usize::try_from(offset(index)?).unwrap_or(usize::MAX);
        let mut all = write(&self.bytes);
        let end = start.saturating_add(bytes.len());
        if all.len() < end {
            all.resize(end, 0);
        }
        all[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(read(&self.bytes).len() as u64)
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        let size = usize::try_from(size).map_err(|_| io::ErrorKind::FileTooLarge)?;
        write(&self.bytes).resize(size, 0);
        Ok(())
    }
}

impl fmt::Debug for MemStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemStore")
            .field("latency", &self.latency)
            .finish_non_exhaustive()
    }
}
