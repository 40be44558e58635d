//! A page cache of one file and two processes that map it, and what can be done to them.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arbitrary::Arbitrary;
use seqschedlock_sim::page_cache::{
    AddressSpace, AsPosted, Commit, Errno, Faulted, FileSystem, InvalidateRwLock, LockedSchemeFs,
    Metadata, Mm, PAGE_SIZE, PageLock, Patience, PlainFs, Policy, Sharing, Store, Striped, Trouble,
    Unprotected, VmFault,
};

use crate::Pick;

/// A page of the file. There are few, so that operations meet, and they lie on both sides of the
/// border between two parts of the page index.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Index(u8);

impl Index {
    pub fn get(self) -> u64 {
        [0, 1, 2, 62, 63, 64, 65][usize::from(self.0) % 7]
    }
}

/// How many pages: a few.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Pages(u8);

impl Pages {
    pub fn get(self) -> u64 {
        1 + u64::from(self.0 % 4)
    }
}

/// Some pages of the file, or all of them.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Range {
    Some(Index, Pages),
    All,
}

impl Range {
    pub fn get(self) -> RangeInclusive<u64> {
        match self {
            Range::Some(start, pages) => start.get()..=start.get() + pages.get() - 1,
            Range::All => 0..=u64::MAX,
        }
    }
}

/// A size in bytes: somewhere in a page or at its edge.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Size(Index, u16);

impl Size {
    pub fn get(self) -> u64 {
        self.0.get() * PAGE_SIZE as u64 + u64::from(self.1) % (PAGE_SIZE as u64 + 1)
    }
}

/// A page of an area, or one just after it.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Spot {
    area: Pick,
    page: u8,
    word: u16,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Operation {
    Map {
        process: bool,
        start: Index,
        pages: Pages,
        private: bool,
    },
    Unmap(Spot, Pages),
    DontNeed(Spot, Pages),
    Read(Spot),
    Write(Spot, u64),
    Invalidate(Range),
    Invalidate2(Range),
    DirectWrite(Index, u8),
    Writeback(Range),
    Truncate(Size),
    FailMkwrite(Failure),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Failure {
    Sigbus,
    Oom,
    NoPage,
}

/// The outcome of an operation.
#[derive(Debug)]
pub enum Outcome {
    /// There was nothing to apply it to.
    Nothing,
    Done,
    Mapped {
        process: usize,
        number: u64,
    },
    /// All bytes of the page.
    Read(Result<Vec<u8>, VmFault>),
    Wrote(Result<Option<Faulted>, VmFault>),
    Result(Result<(), Errno>),
    Written(Result<u64, Errno>),
}

impl Outcome {
    /// Whether it was an error.
    pub fn failed(&self) -> bool {
        match self {
            Outcome::Nothing | Outcome::Done | Outcome::Mapped { .. } => false,
            Outcome::Read(result) => result.is_err(),
            Outcome::Wrote(result) => result.is_err(),
            Outcome::Result(result) => result.is_err(),
            Outcome::Written(result) => result.is_err(),
        }
    }
}

/// An address: a process, and a page and a word in its address space.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub process: usize,
    pub number: u64,
    pub word: usize,
}

impl Place {
    fn address(self) -> u64 {
        self.number * PAGE_SIZE as u64 + self.word as u64 * 8
    }
}

pub fn direct_bytes(seed: u8) -> [u8; PAGE_SIZE] {
    std::array::from_fn(|position| (position as u8).wrapping_mul(7).wrapping_add(seed))
}

fn bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

pub struct World<P: Policy> {
    pub file: Arc<AddressSpace<P>>,
    pub metadata: Option<Arc<Metadata>>,
    processes: Vec<Mm<P>>,
    /// Every area that was ever mapped: its process and its first page.
    areas: Vec<(usize, u64)>,
}

impl<P: Policy> World<P> {
    /// With a file system that keeps metadata, or with one that keeps nothing.
    pub fn new(store: impl Store + 'static, keeps_metadata: bool) -> Result<Self, Errno> {
        let metadata = keeps_metadata.then(|| Arc::new(Metadata::default()));
        let file = match &metadata {
            Some(metadata) => Self::open(store, LockedSchemeFs::new(Arc::clone(metadata)))?,
            None => Self::open(store, PlainFs::default())?,
        };
        let processes = vec![Mm::new(), Mm::new()];
        Ok(World {
            file,
            metadata,
            processes,
            areas: Vec::new(),
        })
    }

    fn open(
        store: impl Store + 'static,
        file_system: impl FileSystem + 'static,
    ) -> Result<Arc<AddressSpace<P>>, Errno> {
        AddressSpace::new(store, file_system)
    }

    pub fn place(&self, spot: Spot) -> Option<Place> {
        let (process, first) = self.areas[spot.area.of(self.areas.len())?];
        let number = first + u64::from(spot.page % 6);
        let word = usize::from(spot.word) % (PAGE_SIZE / 8);
        Some(Place {
            process,
            number,
            word,
        })
    }

    pub fn apply(&mut self, operation: Operation) -> Outcome {
        match operation {
            Operation::Map {
                process,
                start,
                pages,
                private,
            } => {
                let process = usize::from(process);
                let sharing = if private {
                    Sharing::Private
                } else {
                    Sharing::Shared
                };
                let address =
                    self.processes[process].mmap(&self.file, start.get(), pages.get(), sharing);
                let number = address / PAGE_SIZE as u64;
                self.areas.push((process, number));
                Outcome::Mapped { process, number }
            }
            Operation::Unmap(spot, pages) => self.at(spot, |process, place| {
                process.munmap(place.address(), pages.get());
                Outcome::Done
            }),
            Operation::DontNeed(spot, pages) => self.at(spot, |process, place| {
                process.madvise_dontneed(place.address(), pages.get());
                Outcome::Done
            }),
            Operation::Read(spot) => self.at(spot, |process, place| {
                let mut words = [0; PAGE_SIZE / 8];
                let page = Place { word: 0, ..place };
                let read = process.read(page.address(), &mut words, Patience::DEFAULT);
                Outcome::Read(read.map(|_| bytes(&words)))
            }),
            Operation::Write(spot, word) => self.at(spot, |process, place| {
                Outcome::Wrote(process.write(place.address(), &[word], Patience::DEFAULT))
            }),
            Operation::Invalidate(range) => {
                self.file.invalidate_mapping_pages(range.get());
                Outcome::Done
            }
            Operation::Invalidate2(range) => {
                Outcome::Result(self.file.invalidate_inode_pages2_range(range.get()))
            }
            Operation::DirectWrite(index, seed) => {
                Outcome::Result(self.file.direct_write(index.get(), &direct_bytes(seed)))
            }
            Operation::Writeback(range) => {
                Outcome::Written(self.file.filemap_write_and_wait_range(range.get()))
            }
            Operation::Truncate(size) => Outcome::Result(self.file.truncate(size.get())),
            Operation::FailMkwrite(failure) => match &self.metadata {
                Some(metadata) => {
                    metadata.fail_next(match failure {
                        Failure::Sigbus => Trouble::Sigbus,
                        Failure::Oom => Trouble::Oom,
                        Failure::NoPage => Trouble::NoPage,
                    });
                    Outcome::Done
                }
                None => Outcome::Nothing,
            },
        }
    }

    fn at(&self, spot: Spot, act: impl FnOnce(&Mm<P>, Place) -> Outcome) -> Outcome {
        match self.place(spot) {
            Some(place) => act(&self.processes[place.process], place),
            None => Outcome::Nothing,
        }
    }

    /// What is mapped there, without a fault.
    pub fn peek(&self, process: usize, number: u64) -> Option<Vec<u8>> {
        let page = Place {
            process,
            number,
            word: 0,
        };
        let mut words = [0; PAGE_SIZE / 8];
        let mapped = self.processes[process].peek(page.address(), &mut words);
        mapped.then(|| bytes(&words))
    }

    /// Both processes exit.
    pub fn exit(&mut self) {
        self.processes.clear();
        self.areas.clear();
    }
}

/// All six, the unsound ones too: with one thread nothing races.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Policies {
    Unprotected,
    AsPosted,
    Commit,
    Striped,
    PageLock,
    InvalidateRwLock,
}

/// What to run under the policy that the input chose.
pub trait Job {
    fn run<P: Policy>(self);
}

impl Policies {
    pub fn run(self, job: impl Job) {
        match self {
            Policies::Unprotected => job.run::<Unprotected>(),
            Policies::AsPosted => job.run::<AsPosted>(),
            Policies::Commit => job.run::<Commit>(),
            Policies::Striped => job.run::<Striped>(),
            Policies::PageLock => job.run::<PageLock>(),
            Policies::InvalidateRwLock => job.run::<InvalidateRwLock>(),
        }
    }
}
