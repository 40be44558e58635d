//! The page cache against a file that is just an array: random operations on one thread, the same
//! outcome at every step, every invariant after each. Runs under every policy, since without a race
//! all of them must agree.
//!
//! The seed is printed when a case fails; `PROPTEST_RNG_SEED=<seed>` runs the same cases again.
#![cfg(not(loom))]

use std::collections::BTreeMap;
use std::sync::Arc;

use core::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use seqschedlock_sim::page_cache::{
    Access, AddressSpace, AsPosted, Commit, InvalidateRwLock, LockedSchemeFs, MemStore, Metadata,
    Mm, PAGE_SIZE, PageLock, Patience, Policy, Sharing, Store as _, Striped, Trouble, Unprotected,
    VmFault,
};

const PAGE: u64 = PAGE_SIZE as u64;
const WORDS: u64 = PAGE / 8;
/// The file starts with this many pages and is never longer than twice that.
const PAGES: u64 = 4;
const PATIENCE: Patience = Patience::DEFAULT;

/// Where user space reads or writes: an area that is mapped (counted modulo how many there are), and
/// a word in it.
#[derive(Clone, Copy, Debug)]
struct Place {
    process: usize,
    area: usize,
    page: u64,
    word: u64,
}

#[derive(Clone, Debug)]
enum Op {
    Mmap {
        process: usize,
        start: u64,
        pages: u64,
        private: bool,
    },
    Munmap {
        place: Place,
        pages: u64,
    },
    DontNeed {
        place: Place,
        pages: u64,
    },
    Read(Place),
    Write(Place, u64),
    /// A store whose `page_mkwrite`, should it be called, has trouble.
    WriteInTrouble(Place, u64, usize),
    DirectWrite(u64, u8),
    /// In words.
    Truncate(u64),
    Writeback(u64, u64),
    InvalidateMappingPages(u64, u64),
    InvalidateInodePages2(u64, u64),
}

fn place() -> impl Strategy<Value = Place> {
    let word = prop_oneof![Just(0), Just(1), Just(WORDS - 1)];
    (0..2usize, 0..4usize, 0..PAGES + 1, word).prop_map(|(process, area, page, word)| Place {
        process,
        area,
        page,
        word,
    })
}

fn op() -> impl Strategy<Value = Op> {
    let range = || (0..2 * PAGES, 0..2 * PAGES).prop_map(|(a, b)| (a.min(b), a.max(b)));
    prop_oneof![
        2 => (0..2usize, 0..PAGES, 1..=PAGES, any::<bool>()).prop_map(
            |(process, start, pages, private)| Op::Mmap { process, start, pages, private }),
        1 => (place(), 1..3u64).prop_map(|(place, pages)| Op::Munmap { place, pages }),
        1 => (place(), 1..3u64).prop_map(|(place, pages)| Op::DontNeed { place, pages }),
        8 => place().prop_map(Op::Read),
        8 => (place(), any::<u64>()).prop_map(|(place, word)| Op::Write(place, word)),
        2 => (place(), any::<u64>(), 0..3usize).prop_map(
            |(place, word, trouble)| Op::WriteInTrouble(place, word, trouble)),
        3 => (0..2 * PAGES, any::<u8>()).prop_map(|(page, byte)| Op::DirectWrite(page, byte)),
        2 => prop_oneof![0..=2 * PAGES * WORDS, (0..=2 * PAGES).prop_map(|pages| pages * WORDS)]
            .prop_map(Op::Truncate),
        2 => range().prop_map(|(from, to)| Op::Writeback(from, to)),
        2 => range().prop_map(|(from, to)| Op::InvalidateMappingPages(from, to)),
        2 => range().prop_map(|(from, to)| Op::InvalidateInodePages2(from, to)),
    ]
}

/// The naive kernel: a file is an array, and an address space says page by page what is there.
#[derive(Default)]
struct Naive {
    file: Vec<u64>,
    processes: [NaiveProcess; 2],
}

#[derive(Default)]
struct NaiveProcess {
    /// What `mmap` has returned, whether or not it is still mapped.
    addresses: Vec<u64>,
    pages: BTreeMap<u64, NaivePage>,
}

struct NaivePage {
    index: u64,
    private: bool,
    copy: Option<Vec<u64>>,
}

impl Naive {
    fn address(&self, place: Place) -> Option<u64> {
        let addresses = &self.processes[place.process].addresses;
        let address = addresses.get(place.area % addresses.len().max(1))?;
        Some(address + place.page * PAGE + place.word * 8)
    }

    fn pages(&self) -> u64 {
        (self.file.len() as u64).div_ceil(WORDS)
    }

    /// The page as the file has it, zeros where it has ended.
    fn page(&self, index: u64) -> Vec<u64> {
        let start = index * WORDS;
        (start..start + WORDS)
            .map(|word| self.file.get(word as usize).copied().unwrap_or(0))
            .collect()
    }

    /// The answer to an access; `None` if it is undefined: beyond the end, but on its page.
    fn answer(&self, process: usize, address: u64) -> Option<Result<(), VmFault>> {
        match self.processes[process].pages.get(&(address / PAGE)) {
            None => Some(Err(VmFault::Segv)),
            Some(page) if page.index >= self.pages() => Some(Err(VmFault::Sigbus)),
            Some(page) if self.position(page, address) >= self.file.len() => None,
            Some(_) => Some(Ok(())),
        }
    }

    fn position(&self, page: &NaivePage, address: u64) -> usize {
        (page.index * WORDS + address % PAGE / 8) as usize
    }

    fn read(&self, process: usize, address: u64) -> u64 {
        let page = &self.processes[process].pages[&(address / PAGE)];
        match &page.copy {
            Some(copy) => copy[(address % PAGE / 8) as usize],
            None => self.file[self.position(page, address)],
        }
    }

    /// Returns whether the file has been written to.
    fn write(&mut self, process: usize, address: u64, word: u64) -> bool {
        let page = &self.processes[process].pages[&(address / PAGE)];
        let (position, original) = (self.position(page, address), self.page(page.index));
        let page = self.processes[process].pages.get_mut(&(address / PAGE));
        let page = page.expect("it is mapped");
        if page.private {
            let copy = page.copy.get_or_insert(original);
            copy[(address % PAGE / 8) as usize] = word;
        } else {
            self.file[position] = word;
        }
        !page.private
    }

    fn truncate(&mut self, words: u64) {
        self.file.resize(words as usize, 0);
        let pages = self.pages();
        for process in &mut self.processes {
            for page in process.pages.values_mut() {
                page.copy.take_if(|_| page.index >= pages);
            }
        }
    }
}

/// The naive kernel and the one that is tested, side by side.
struct Both<P: Policy> {
    naive: Naive,
    metadata: Arc<Metadata>,
    file: Arc<AddressSpace<P>>,
    processes: [Mm<P>; 2],
}

impl<P: Policy> Both<P> {
    fn new() -> Self {
        let metadata = Arc::new(Metadata::default());
        let store = MemStore::new(PAGES * PAGE, Duration::ZERO);
        for index in 0..PAGES {
            store.write_page(index, &[index as u8; PAGE_SIZE]).unwrap();
        }
        let naive = Naive {
            file: (0..PAGES * WORDS)
                .map(|word| u64::from_ne_bytes([(word / WORDS) as u8; 8]))
                .collect(),
            ..Naive::default()
        };
        let file = AddressSpace::new(store, LockedSchemeFs::new(Arc::clone(&metadata))).unwrap();
        Both {
            naive,
            metadata,
            file,
            processes: [Mm::new(), Mm::new()],
        }
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Mmap {
                process,
                start,
                pages,
                private,
            } => {
                let sharing = if private {
                    Sharing::Private
                } else {
                    Sharing::Shared
                };
                let address = self.processes[process].mmap(&self.file, start, pages, sharing);
                let naive = &mut self.naive.processes[process];
                naive.addresses.push(address);
                for page in 0..pages {
                    let mapped = NaivePage {
                        index: start + page,
                        private,
                        copy: None,
                    };
                    let before = naive.pages.insert(address / PAGE + page, mapped);
                    assert!(before.is_none(), "mapped over another area");
                }
            }
            Op::Munmap { place, pages } => {
                let Some(address) = self.naive.address(place) else {
                    return;
                };
                self.processes[place.process].munmap(address, pages);
                for page in address / PAGE..address / PAGE + pages {
                    self.naive.processes[place.process].pages.remove(&page);
                }
            }
            Op::DontNeed { place, pages } => {
                let Some(address) = self.naive.address(place) else {
                    return;
                };
                self.processes[place.process].madvise_dontneed(address, pages);
                let first = address / PAGE;
                let naive = &mut self.naive.processes[place.process].pages;
                for (_, page) in naive.range_mut(first..first + pages) {
                    page.copy = None;
                }
            }
            Op::Read(place) => self.read(place),
            Op::Write(place, word) => self.write(place, word, None),
            Op::WriteInTrouble(place, word, which) => {
                let trouble = [Trouble::Sigbus, Trouble::Oom, Trouble::NoPage][which];
                self.write(place, word, Some(trouble));
            }
            Op::DirectWrite(page, byte) => {
                let within = (page + 1) * WORDS <= self.naive.file.len() as u64;
                let answer = self.file.direct_write(page, &[byte; PAGE_SIZE]);
                assert_eq!(answer.is_ok(), within, "{answer:?}");
                if within {
                    let words = (page * WORDS) as usize..((page + 1) * WORDS) as usize;
                    self.naive.file[words].fill(u64::from_ne_bytes([byte; 8]));
                }
            }
            Op::Truncate(words) => {
                self.file.truncate(words * 8).unwrap();
                self.naive.truncate(words);
            }
            Op::Writeback(from, to) => {
                self.file.filemap_write_and_wait_range(from..=to).unwrap();
            }
            Op::InvalidateMappingPages(from, to) => {
                self.file.invalidate_mapping_pages(from..=to);
            }
            Op::InvalidateInodePages2(from, to) => {
                // An error if a page is dirty, and this side does not know whether one is.
                let _ = self.file.invalidate_inode_pages2_range(from..=to);
            }
        }
    }

    fn read(&self, place: Place) {
        let Some(address) = self.naive.address(place) else {
            return;
        };
        let mut word = [0];
        let answer = self.processes[place.process].read(address, &mut word, PATIENCE);
        let answer = answer.map(|faulted| {
            assert_eq!(
                faulted.unwrap_or_default().conflicts,
                0,
                "a conflict without another thread"
            );
        });
        if let Some(expected) = self.naive.answer(place.process, address) {
            assert_eq!(answer, expected);
            if expected.is_ok() {
                assert_eq!(word[0], self.naive.read(place.process, address));
            }
        }
    }

    fn write(&mut self, place: Place, word: u64, trouble: Option<Trouble>) {
        let Some(address) = self.naive.address(place) else {
            return;
        };
        let Some(expected) = self.naive.answer(place.process, address) else {
            return;
        };
        if let Some(trouble) = trouble {
            self.metadata.fail_next(trouble);
        }
        let answer = self.processes[place.process].write(address, &[word], PATIENCE);
        let met = trouble.filter(|_| self.metadata.fail_no_more() == 0);
        let expected = match met {
            Some(Trouble::Sigbus) => Err(VmFault::Sigbus),
            Some(Trouble::Oom) => Err(VmFault::Oom),
            Some(Trouble::NoPage) | None => expected,
        };
        assert_eq!(answer.map(|_| ()), expected);
        if expected.is_ok() {
            let to_the_file = self.naive.write(place.process, address, word);
            assert!(to_the_file || met.is_none(), "asked about a private copy");
        }
    }

    fn check(&self) {
        assert_eq!(self.file.check(), Ok(()));
        assert_eq!(self.file.size(), self.naive.file.len() as u64 * 8);
    }

    /// All that is in the file, by way of a fresh mapping and by way of the store.
    fn the_file_is_as_expected(self) {
        let process = Mm::new();
        let address = process.mmap(&self.file, 0, 2 * PAGES, Sharing::Shared);
        let mut words = [0; WORDS as usize];
        for index in 0..self.file.pages() {
            process
                .read(address + index * PAGE, &mut words, PATIENCE)
                .unwrap();
            let within = (self.naive.file.len() - (index * WORDS) as usize).min(WORDS as usize);
            assert_eq!(words[..within], self.naive.page(index)[..within]);
        }
        self.file
            .filemap_write_and_wait_range(0..=u64::MAX)
            .unwrap();
        self.check(); // that a clean page has the bytes of the store is an invariant
        let beyond = address + self.file.pages() * PAGE;
        if self.file.pages() < 2 * PAGES {
            let answer = process.fault(beyond, Access::Read, PATIENCE);
            assert_eq!(answer, Err(VmFault::Sigbus));
        }

        drop((process, self.processes));
        self.file.truncate(0).unwrap();
        assert_eq!(self.file.check(), Ok(()));
        assert_eq!(self.file.live_pages(), 0);
        assert!(self.metadata.is_empty());
    }
}

fn agrees_with_an_array<P: Policy>() {
    let seed = match Config::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => fastrand::u64(..),
    };
    let config = Config {
        cases: 256,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&prop::collection::vec(op(), 1..60), |ops| {
        let mut both = Both::<P>::new();
        for op in &ops {
            both.apply(op);
            both.check();
        }
        both.the_file_is_as_expected();
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}\nthe same again: PROPTEST_RNG_SEED={seed}");
    }
}

#[test]
fn unprotected_agrees_with_an_array() {
    agrees_with_an_array::<Unprotected>();
}

#[test]
fn as_posted_agrees_with_an_array() {
    agrees_with_an_array::<AsPosted>();
}

#[test]
fn commit_agrees_with_an_array() {
    agrees_with_an_array::<Commit>();
}

#[test]
fn striped_agrees_with_an_array() {
    agrees_with_an_array::<Striped>();
}

#[test]
fn page_lock_agrees_with_an_array() {
    agrees_with_an_array::<PageLock>();
}

#[test]
fn invalidate_rwlock_agrees_with_an_array() {
    agrees_with_an_array::<InvalidateRwLock>();
}
