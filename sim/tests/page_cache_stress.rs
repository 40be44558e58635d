//! The page cache with everything at once: many threads, every operation, each sound policy, and
//! every invariant at the end.
//!
//! The seed is printed when a run fails; `SIM_STRESS_SEED=<seed>` draws the same operations again
//! (the order in which the threads reach them is up to the machine).
#![cfg(not(loom))]

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use std::thread::{self, ScopedJoinHandle};

use core::time::Duration;

use fastrand::Rng;
use seqschedlock_sim::page_cache::{
    AddressSpace, Commit, Errno, InvalidateRwLock, LockedSchemeFs, MemStore, Metadata, Mm,
    PAGE_SIZE, PageLock, Patience, Policy, Sharing, Store, Striped, Trouble, VmFault,
};

const PAGE: u64 = PAGE_SIZE as u64;
/// These pages are rewritten past the cache: nobody may read older bytes afterwards.
const REWRITTEN: u64 = 4;
/// From `REWRITTEN` to here, pages are rewritten and also stored to through mappings. The resulting
/// bytes are unpredictable (a store brings the rest of its page along), but all invariants hold.
const MIXED: u64 = 6;
/// From `MIXED` to here pages are only stored to through mappings: no store may be lost.
const KEPT: u64 = 8;
/// From `KEPT` to here the file is cut and extended.
const PAGES: u64 = 14;
/// Operations of each thread.
const ROUNDS: u64 = 20_000;
/// One conflict, or several, so that faults both wait and take the page lock.
const PATIENCE: [Patience; 2] = [
    Patience::DEFAULT,
    Patience {
        conflicts: 5,
        deadline: None,
    },
];

struct World<P: Policy> {
    seed: u64,
    metadata: Arc<Metadata>,
    file: Arc<AddressSpace<P>>,
    /// Two processes with several threads each, and where they have mapped the file.
    processes: [(Mm<P>, u64); 2],
    /// The last direct write of each page that has returned.
    announced: [AtomicU64; REWRITTEN as usize],
    done: AtomicBool,
}

impl<P: Policy> World<P> {
    fn new(seed: u64, store: impl Store + 'static) -> Self {
        let metadata = Arc::new(Metadata::default());
        let file_system =
            LockedSchemeFs::new(Arc::clone(&metadata)).with_release(Duration::from_micros(20));
        let file = AddressSpace::new(store, file_system).unwrap();
        let process = || {
            let process = Mm::new();
            let address = process.mmap(&file, 0, PAGES, Sharing::Shared);
            (process, address)
        };
        World {
            seed,
            metadata,
            processes: [process(), process()],
            file,
            announced: Default::default(),
            done: AtomicBool::new(false),
        }
    }

    /// Starts a thread that does something so many times.
    fn repeat<'scope>(
        &'scope self,
        threads: &'scope thread::Scope<'scope, '_>,
        number: u64,
        act: fn(&Self, &mut Rng, u64),
    ) -> ScopedJoinHandle<'scope, ()> {
        threads.spawn(move || {
            let mut random = Rng::with_seed(self.seed ^ number);
            for round in 1..=ROUNDS {
                act(self, &mut random, round);
            }
        })
    }

    /// Like [`repeat`](Self::repeat), until all repeating threads have ended.
    fn accompany<'scope>(
        &'scope self,
        threads: &'scope thread::Scope<'scope, '_>,
        number: u64,
        act: fn(&Self, &mut Rng),
    ) {
        threads.spawn(move || {
            let mut random = Rng::with_seed(self.seed ^ number);
            while !self.done.load(Relaxed) {
                act(self, &mut random);
                thread::yield_now();
            }
        });
    }

    fn any_process(&self, random: &mut Rng) -> (&Mm<P>, u64) {
        let (process, address) = &self.processes[random.usize(..2)];
        (process, *address)
    }

    /// Reads what direct writes have written: never older than what was announced.
    fn read(&self, random: &mut Rng, _round: u64) {
        let (process, address) = self.any_process(random);
        let page = random.u64(..REWRITTEN);
        let announced = self.announced[page as usize].load(Acquire);
        let mut word = [0];
        let patience = PATIENCE[random.usize(..2)];
        process
            .read(address + page * PAGE, &mut word, patience)
            .unwrap();
        assert!(word[0] >= announced, "a stale read");
    }

    /// The same through a private mapping, by the copy that a store makes.
    fn read_private(&self, random: &mut Rng, _round: u64) {
        let process = Mm::new();
        let private = process.mmap(&self.file, 0, PAGES, Sharing::Private);
        let page = random.u64(..REWRITTEN);
        let announced = self.announced[page as usize].load(Acquire);
        let address = private + page * PAGE;
        process.write(address + 8, &[1], PATIENCE[0]).unwrap();
        let mut words = [0; 2];
        process.read(address, &mut words, PATIENCE[0]).unwrap();
        assert!(words[0] >= announced, "a stale copy");
        assert_eq!(words[1], 1);
    }

    /// Touches what may be cut off.
    fn touch(&self, random: &mut Rng, _round: u64) {
        let (process, address) = self.any_process(random);
        let address = address + random.u64(KEPT..PAGES) * PAGE;
        let answer = match random.bool() {
            true => process.read(address, &mut [0], PATIENCE[0]),
            false => process.write(address, &[1], PATIENCE[0]),
        };
        if let Err(fault) = answer {
            assert!(matches!(fault, VmFault::Sigbus | VmFault::Oom), "{fault}");
        }
    }

    /// Rewrites a page of its own past the cache.
    fn rewrite(&self, random: &mut Rng, writer: u64) {
        let page = random.u64(..REWRITTEN / 2) * 2 + writer;
        let announced = &self.announced[page as usize];
        let generation = announced.load(Relaxed) + 1;
        let mut bytes = [0; PAGE_SIZE];
        bytes[..8].copy_from_slice(&generation.to_le_bytes());
        self.file.direct_write(page, &bytes).unwrap();
        announced.store(generation, Release);
    }

    fn rewrite_even(&self, random: &mut Rng, _round: u64) {
        self.rewrite(random, 0);
    }

    fn rewrite_odd(&self, random: &mut Rng, _round: u64) {
        self.rewrite(random, 1);
    }

    /// Rewrites pages that others store to: they may get in the way.
    fn rewrite_mixed(&self, random: &mut Rng, round: u64) {
        let page = random.u64(REWRITTEN..MIXED);
        match self.file.direct_write(page, &[round as u8; PAGE_SIZE]) {
            Ok(()) | Err(Errno::Io) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Stores to a word of its own in each page, and finds what it stored before.
    fn store(&self, random: &mut Rng, thread: usize) {
        let (process, address) = &self.processes[thread];
        let page = random.u64(MIXED..KEPT);
        let word = address + page * PAGE + 8 * (random.u64(..2) + 2 * thread as u64);
        let mut before = [0];
        process.read(word, &mut before, PATIENCE[0]).unwrap();
        let stored = before[0] + 1;
        match process.write(word, &[stored], PATIENCE[0]) {
            Ok(_) => {
                process.read(word, &mut before, PATIENCE[0]).unwrap();
                assert_eq!(before[0], stored, "a store was lost");
            }
            Err(fault) => assert!(matches!(fault, VmFault::Sigbus | VmFault::Oom), "{fault}"),
        }
    }

    /// Stores to pages that others rewrite.
    fn store_mixed(&self, random: &mut Rng, round: u64) {
        let (process, address) = self.any_process(random);
        let word = address + random.u64(REWRITTEN..MIXED) * PAGE + 8 * random.u64(..4);
        match process.write(word, &[round], PATIENCE[0]) {
            Ok(_) => {}
            Err(fault) => assert!(matches!(fault, VmFault::Sigbus | VmFault::Oom), "{fault}"),
        }
    }

    fn drop_ptes(&self, random: &mut Rng) {
        let (process, address) = self.any_process(random);
        process.madvise_dontneed(address + random.u64(..PAGES) * PAGE, random.u64(1..4));
    }

    fn invalidate(&self, random: &mut Rng) {
        let start = random.u64(..PAGES);
        let range = start..=start + random.u64(..3);
        if random.bool() {
            self.file.invalidate_mapping_pages(range);
        } else {
            let _ = self.file.invalidate_inode_pages2_range(range);
        }
    }

    fn write_back(&self, random: &mut Rng) {
        let start = random.u64(..PAGES);
        self.file
            .filemap_write_and_wait_range(start..=start + random.u64(..PAGES))
            .unwrap();
    }

    fn truncate(&self, random: &mut Rng) {
        let size = random.u64(KEPT * PAGE / 8..=PAGES * PAGE / 8) * 8;
        self.file.truncate(size).unwrap();
    }

    fn map_and_unmap(&self, random: &mut Rng) {
        let (process, _) = self.any_process(random);
        let sharing = [Sharing::Shared, Sharing::Private][random.usize(..2)];
        let address = process.mmap(&self.file, random.u64(..PAGES), 3, sharing);
        let _ = process.read(address, &mut [0], PATIENCE[0]);
        process.munmap(address + PAGE, 1);
        let _ = process.read(address + 2 * PAGE, &mut [0], PATIENCE[0]);
        process.munmap(address, 3);
    }

    fn give_trouble(&self, random: &mut Rng) {
        if random.u8(..8) == 0 {
            let troubles = [Trouble::Sigbus, Trouble::Oom, Trouble::NoPage];
            self.metadata.fail_next(troubles[random.usize(..3)]);
        }
    }

    fn run(self) {
        thread::scope(|threads| {
            let repeating = [
                self.repeat(threads, 1, Self::read),
                self.repeat(threads, 2, Self::read),
                self.repeat(threads, 3, Self::read_private),
                self.repeat(threads, 4, Self::touch),
                self.repeat(threads, 5, Self::rewrite_even),
                self.repeat(threads, 6, Self::rewrite_odd),
                self.repeat(threads, 7, |world, random, _| world.store(random, 0)),
                self.repeat(threads, 8, |world, random, _| world.store(random, 1)),
                self.repeat(threads, 9, Self::store_mixed),
                self.repeat(threads, 16, Self::rewrite_mixed),
            ];
            self.accompany(threads, 10, Self::drop_ptes);
            self.accompany(threads, 11, Self::invalidate);
            self.accompany(threads, 12, Self::write_back);
            self.accompany(threads, 13, Self::truncate);
            self.accompany(threads, 14, Self::map_and_unmap);
            self.accompany(threads, 15, Self::give_trouble);
            let outcomes = repeating.map(ScopedJoinHandle::join);
            self.done.store(true, Relaxed);
            for outcome in outcomes {
                if let Err(panic) = outcome {
                    std::panic::resume_unwind(panic);
                }
            }
        });

        self.metadata.fail_no_more();
        assert_eq!(self.file.check(), Ok(()));
        for announced in &self.announced {
            assert_ne!(
                announced.load(Relaxed),
                0,
                "no direct write ever got through"
            );
        }
        self.file
            .filemap_write_and_wait_range(0..=u64::MAX)
            .unwrap();
        assert_eq!(self.file.check(), Ok(()));

        let Self { file, metadata, .. } = self;
        assert_eq!(file.check(), Ok(()));
        file.truncate(0).unwrap();
        assert_eq!(file.check(), Ok(()));
        assert_eq!(file.live_pages(), 0);
        assert!(metadata.is_empty());
        assert_eq!(file.io_errors(), 0);
    }
}

fn everything_at_once<P: Policy>() {
    let seed = match std::env::var("SIM_STRESS_SEED") {
        Ok(seed) => seed.parse().expect("SIM_STRESS_SEED is a number"),
        Err(_) => fastrand::u64(..),
    };
    // Shown only if the test fails.
    println!("the same again: SIM_STRESS_SEED={seed}");
    World::<P>::new(seed, MemStore::new(PAGES * PAGE, Duration::ZERO)).run();
}

#[test]
fn commit_holds_with_everything_at_once() {
    everything_at_once::<Commit>();
}

#[test]
fn striped_holds_with_everything_at_once() {
    everything_at_once::<Striped>();
}

#[test]
fn page_lock_holds_with_everything_at_once() {
    everything_at_once::<PageLock>();
}

#[test]
fn invalidate_rwlock_holds_with_everything_at_once() {
    everything_at_once::<InvalidateRwLock>();
}

#[cfg(unix)]
#[test]
fn commit_holds_with_everything_at_once_on_a_real_file() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(PAGES * PAGE).unwrap();
    let seed = fastrand::u64(..);
    println!("the same again: SIM_STRESS_SEED={seed}");
    World::<Commit>::new(seed, seqschedlock_sim::page_cache::FileStore::new(file)).run();
}
