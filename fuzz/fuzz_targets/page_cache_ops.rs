//! Random operations on the page cache, under every policy: each answer is the reference's, every
//! byte that user space reads is, and all invariants hold after each step.
#![no_main]

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use seqschedlock_sim::page_cache::{Errno, MemStore, PAGE_SIZE, Policy, Store as _, VmFault};
use seqschedlock_fuzz::page_cache::{
    Failure, Job, Operation, Outcome, Place, Policies, Size, World, direct_bytes,
};

#[derive(Arbitrary, Debug)]
struct Input {
    policy: Policies,
    keeps_metadata: bool,
    size: Size,
    operations: Vec<Operation>,
}

/// A file and who maps it, without a cache.
struct Model {
    /// What a read must find. What lies beyond the end does not count.
    bytes: Vec<u8>,
    dirty: BTreeSet<u64>,
    /// The file's page that a page of a process shows, and whether privately.
    mapped: HashMap<(usize, u64), (u64, bool)>,
    /// Private copies, each as long as the file was within the page when it was made.
    copies: HashMap<(usize, u64), Vec<u8>>,
    failures: VecDeque<Failure>,
}

impl Model {
    fn pages(&self) -> u64 {
        self.bytes.len().div_ceil(PAGE_SIZE) as u64
    }

    /// The page `index` as far as the file goes.
    fn page(&mut self, index: u64) -> &mut [u8] {
        let start = index as usize * PAGE_SIZE;
        let end = self.bytes.len().min(start + PAGE_SIZE);
        &mut self.bytes[start..end]
    }

    /// How an access to a page has to end.
    fn access(&self, place: Place) -> Result<(u64, bool), VmFault> {
        let &(index, private) = self
            .mapped
            .get(&(place.process, place.number))
            .ok_or(VmFault::Segv)?;
        match index < self.pages() {
            true => Ok((index, private)),
            false => Err(VmFault::Sigbus),
        }
    }

    /// The bytes that user space sees there.
    fn view(&mut self, spot: (usize, u64), index: u64) -> &mut [u8] {
        if self.copies.contains_key(&spot) {
            return self.copies.get_mut(&spot).expect("it was there");
        }
        self.page(index)
    }

    fn read(&mut self, place: Place, found: Result<Vec<u8>, VmFault>) {
        let expected = self.access(place);
        assert_eq!(found.as_ref().err(), expected.as_ref().err());
        if let Ok(found) = found {
            self.compare((place.process, place.number), &found);
        }
    }

    /// Checks that this is what user space has to find on a page.
    fn compare(&mut self, spot: (usize, u64), found: &[u8]) {
        let (index, _) = self.mapped[&spot];
        let view = self.view(spot, index);
        let differs = view
            .iter()
            .zip(found)
            .position(|(ours, theirs)| ours != theirs);
        assert_eq!(differs, None, "a byte of page {index} at {spot:?}");
    }

    fn write(&mut self, place: Place, word: u64, faulted: bool, result: Result<(), VmFault>) {
        let (index, private) = match self.access(place) {
            Ok(found) => found,
            Err(fault) => return assert_eq!(result, Err(fault)),
        };
        if private {
            assert_eq!(result, Ok(()));
            let page = self.page(index).to_vec();
            self.copies
                .entry((place.process, place.number))
                .or_insert(page);
        } else {
            match self.mkwrite(faulted, result) {
                Ok(()) => self.dirty.insert(index),
                Err(fault) => return assert_eq!(result, Err(fault)),
            };
        }
        let view = self.view((place.process, place.number), index);
        for (position, byte) in word.to_le_bytes().into_iter().enumerate() {
            if let Some(there) = view.get_mut(place.word * 8 + position) {
                *there = byte;
            }
        }
    }

    /// What the file system answers to a shared write, if it was asked.
    fn mkwrite(&mut self, faulted: bool, result: Result<(), VmFault>) -> Result<(), VmFault> {
        if !faulted && result.is_ok() {
            return Ok(());
        }
        loop {
            match self.failures.pop_front() {
                None => return Ok(()),
                Some(Failure::NoPage) => {}
                Some(Failure::Sigbus) => return Err(VmFault::Sigbus),
                Some(Failure::Oom) => return Err(VmFault::Oom),
            }
        }
    }

    fn truncate(&mut self, size: u64) {
        self.bytes.resize(size as usize, 0);
        let pages = self.pages();
        self.dirty.retain(|index| *index < pages);
        let mapped = &self.mapped;
        self.copies.retain(|spot, _| mapped[spot].0 < pages);
    }

    fn step(&mut self, operation: Operation, place: Option<Place>, outcome: Outcome) {
        match (operation, outcome) {
            (
                Operation::Map {
                    start,
                    pages,
                    private,
                    ..
                },
                Outcome::Mapped { process, number },
            ) => {
                for page in 0..pages.get() {
                    let shown = (start.get() + page, private);
                    self.mapped.insert((process, number + page), shown);
                }
            }
            (Operation::Unmap(_, pages) | Operation::DontNeed(_, pages), Outcome::Done) => {
                let place = place.expect("it was done somewhere");
                for page in 0..pages.get() {
                    let spot = (place.process, place.number + page);
                    self.copies.remove(&spot);
                    if matches!(operation, Operation::Unmap(..)) {
                        self.mapped.remove(&spot);
                    }
                }
            }
            (Operation::Read(_), Outcome::Read(found)) => {
                self.read(place.expect("it was read somewhere"), found);
            }
            (Operation::Write(_, word), Outcome::Wrote(result)) => {
                let place = place.expect("it was written somewhere");
                let faulted = matches!(result, Ok(Some(_)));
                self.write(place, word, faulted, result.map(drop));
            }
            (Operation::Invalidate(_), Outcome::Done) => {}
            (Operation::Invalidate2(range), Outcome::Result(result)) => {
                let expected = match self.dirty.range(range.get()).next() {
                    None => Ok(()),
                    Some(_) => Err(Errno::Io),
                };
                assert_eq!(result, expected);
            }
            (Operation::DirectWrite(index, seed), Outcome::Result(result)) => {
                let index = index.get();
                if index >= (self.bytes.len() / PAGE_SIZE) as u64 {
                    return assert_eq!(result, Err(Errno::Invalid));
                }
                assert_eq!(result, Ok(()));
                self.page(index).copy_from_slice(&direct_bytes(seed));
                self.dirty.remove(&index);
            }
            (Operation::Writeback(range), Outcome::Written(result)) => {
                let before = self.dirty.len();
                self.dirty.retain(|index| !range.get().contains(index));
                assert_eq!(result, Ok((before - self.dirty.len()) as u64));
            }
            (Operation::Truncate(size), Outcome::Result(result)) => {
                assert_eq!(result, Ok(()));
                self.truncate(size.get());
            }
            (Operation::FailMkwrite(failure), Outcome::Done) => self.failures.push_back(failure),
            (_, Outcome::Nothing) => {}
            (operation, outcome) => panic!("{operation:?} ended in {outcome:?}"),
        }
    }
}

impl Job for Input {
    fn run<P: Policy>(self) {
        let Input {
            keeps_metadata,
            size,
            operations,
            ..
        } = self;
        let store = Arc::new(MemStore::new(size.get(), Duration::ZERO));
        let mut world =
            World::<P>::new(Arc::clone(&store), keeps_metadata).expect("a MemStore has a size");
        let mut model = Model {
            bytes: vec![0; size.get() as usize],
            dirty: BTreeSet::new(),
            mapped: HashMap::new(),
            copies: HashMap::new(),
            failures: VecDeque::new(),
        };
        for operation in operations {
            let place = match operation {
                Operation::Unmap(spot, _)
                | Operation::DontNeed(spot, _)
                | Operation::Read(spot)
                | Operation::Write(spot, _) => world.place(spot),
                _ => None,
            };
            let outcome = world.apply(operation);
            model.step(operation, place, outcome);
            // Whatever is mapped, not only what this step has touched.
            let spots: Vec<_> = model.mapped.keys().copied().collect();
            for spot in spots {
                if let Some(found) = world.peek(spot.0, spot.1) {
                    model.compare(spot, &found);
                }
            }
            assert_eq!(world.file.check(), Ok(()));
            assert_eq!(world.file.size(), model.bytes.len() as u64);
            if let Some(metadata) = &world.metadata {
                assert_eq!(metadata.len(), model.dirty.len());
            }
        }
        world.exit();
        assert_eq!(world.file.check(), Ok(()));
        assert_eq!(
            world.file.filemap_write_and_wait_range(0..=u64::MAX),
            Ok(model.dirty.len() as u64)
        );
        for index in 0..model.pages() {
            let mut stored = [0; PAGE_SIZE];
            store.read_page(index, &mut stored).unwrap();
            let expected = model.page(index);
            assert!(
                stored[..expected.len()] == *expected,
                "page {index} on store"
            );
        }
        assert_eq!(world.file.io_errors(), 0);
        assert_eq!(world.file.orphans(), 0);
    }
}

fuzz_target!(|input: Input| {
    input.policy.run(input);
});
