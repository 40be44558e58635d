use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::Store;
use crate::memory::PAGE_SIZE;

/// A file. As in a file that the kernel maps, the last page ends in zeroes, and there are no pages after it.
#[derive(Debug)]
pub struct FileStore {
    file: File,
}

impl FileStore {
    /// The pages of this file, which must be open for reading.
    #[must_use]
    pub fn new(file: File) -> Self {
        Self { file }
    }
}

impl Store for FileStore {
    fn load(&self, page: usize, into: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        let start = page as u64 * PAGE_SIZE as u64;
        let mut read = 0;
        while read < PAGE_SIZE {
            match self.file.read_at(&mut into[read..], start + read as u64) {
                Ok(0) if read == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        into[read..].fill(0);
        Ok(())
    }
}
