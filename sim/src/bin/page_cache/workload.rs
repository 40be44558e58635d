//! Readers, writers, and how a stale read is told from a fresh one.
//!
//! Every block that is rewritten carries a stamp: its own number and the generation of the write.
//! When a direct write has returned, its generation is announced. A reader notes the announced
//! generation *before* it touches its mapping; if the bytes it then reads are of an older one, they
//! are stale.

use std::io::{Read as _, Seek as _};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use std::time::{Duration, Instant};

use fastrand::Rng;
use hdrhistogram::Histogram;
use indicatif::ProgressBar;
#[cfg(unix)]
use seqschedlock_sim::page_cache::FileStore;
use seqschedlock_sim::page_cache::{
    Access, AddressSpace, MemStore, Mm, PAGE_SIZE, Patience, PlainFs, Policy, Sharing, Store,
};

use crate::copy::Copy;
use crate::nap;
use crate::options::{Io, Options};

/// So many blocks are rewritten, spread over the file. Half of all reads go to them.
const REWRITTEN: u64 = 64;
/// Marks a block that carries a stamp.
const MAGIC: u64 = 0x5e95_c4ed_10c4_2005;
/// How long a writer rests between two writes.
const REST: Duration = Duration::from_micros(100);
/// How often dirty pages are written, where there are any.
const WRITEBACK_EVERY: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub struct Workload {
    pub name: String,
    pub pages: u64,
    pub threads: u16,
    writers: u16,
    duration: Duration,
    hold: Duration,
    mix: u8,
    store: Arc<dyn Store>,
    /// For each rewritten block the generation of the last direct write that has returned. It goes
    /// on from one policy to the next, as the store does.
    announced: Vec<AtomicU64>,
}

/// What one policy has to show.
#[derive(Debug)]
pub struct Outcome {
    pub policy: &'static str,
    /// Whether it is meant to be.
    pub sound: bool,
    pub elapsed: Duration,
    pub cut_short: bool,
    pub readers: Tally,
    pub direct_writes: u64,
    pub orphans: u64,
    pub io_errors: u64,
}

impl Outcome {
    /// Nothing old was read, or could have been.
    pub fn fresh(&self) -> bool {
        self.readers.stale_reads == 0 && self.orphans == 0
    }

    pub fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.elapsed.as_secs_f64()
    }
}

/// What readers count.
#[derive(Debug)]
pub struct Tally {
    pub faults: u64,
    pub write_faults: u64,
    pub conflicts: u64,
    pub fallbacks: u64,
    pub reads: u64,
    pub stale_reads: u64,
    /// In nanoseconds.
    pub latency: Histogram<u64>,
}

impl Tally {
    fn new() -> Self {
        let a_minute = 60_000_000_000;
        Self {
            faults: 0,
            write_faults: 0,
            conflicts: 0,
            fallbacks: 0,
            reads: 0,
            stale_reads: 0,
            latency: Histogram::new_with_bounds(1, a_minute, 3).expect("the bounds are in order"),
        }
    }

    fn add(&mut self, other: &Tally) {
        self.faults += other.faults;
        self.write_faults += other.write_faults;
        self.conflicts += other.conflicts;
        self.fallbacks += other.fallbacks;
        self.reads += other.reads;
        self.stale_reads += other.stale_reads;
        self.latency
            .add(&other.latency)
            .expect("all histograms have the same bounds");
    }
}

impl Workload {
    pub fn new(copy: Copy, options: &Options) -> Result<Self, String> {
        let Copy {
            mut file,
            name,
            pages,
        } = copy;
        if pages == 1 && options.mix != 0 {
            return Err(format!(
                "{name} has one page, which is rewritten: for --mix it takes two"
            ));
        }
        let store: Arc<dyn Store> = match options.io {
            #[cfg(unix)]
            Io::File => Arc::new(FileStore::new(file)),
            #[cfg(not(unix))]
            Io::File => return Err("a file is read on Unix only: give --io a time".into()),
            Io::Memory { latency } => {
                let mut bytes = Vec::new();
                file.rewind()
                    .and_then(|()| file.read_to_end(&mut bytes))
                    .map_err(|error| format!("cannot read the copy: {error}"))?;
                Arc::new(MemStore::with_bytes(bytes, latency))
            }
        };
        // Half the blocks at most, so that some are left to be written to through mappings.
        let rewritten = (pages / 2).clamp(1, REWRITTEN);
        Ok(Self {
            name,
            pages,
            threads: options.threads,
            writers: options.writers,
            duration: options.duration(),
            hold: options.hold,
            mix: options.mix,
            store,
            announced: (0..rewritten).map(|_| AtomicU64::new(0)).collect(),
        })
    }

    /// The block of the file that is the `nth` to be rewritten.
    fn block(&self, nth: u64) -> u64 {
        nth * self.stride()
    }

    /// From one rewritten block to the next. Odd: a power of two, as the size of most files is one,
    /// would put them all on the same stripe.
    fn stride(&self) -> u64 {
        (self.pages / self.announced.len() as u64 - 1) | 1
    }

    /// Runs one policy for as long as was asked, or until Ctrl-C.
    pub fn run<P: Policy>(&self, sound: bool, bar: &ProgressBar) -> Result<Outcome, String> {
        bar.set_message(P::NAME);
        let file_system = PlainFs { release: self.hold };
        let mapping = AddressSpace::<P>::new(Arc::clone(&self.store), file_system)
            .map_err(|error| format!("cannot use the copy: {error}"))?;

        let stop = AtomicBool::new(false);
        let began = Instant::now();
        let mut readers = Tally::new();
        let mut direct_writes = 0;
        let mut in_time = true;
        std::thread::scope(|threads| {
            let (mapping, stop) = (&mapping, &stop);
            let reading: Vec<_> = (0..self.threads)
                .map(|seed| threads.spawn(move || self.read(mapping, stop, seed.into())))
                .collect();
            let writing: Vec<_> = (0..self.writers)
                .map(|nth| threads.spawn(move || self.rewrite(mapping, stop, nth)))
                .collect();
            if self.mix != 0 {
                threads.spawn(move || write_back(mapping, stop));
            }

            let mut shown = Duration::ZERO;
            while in_time && began.elapsed() < self.duration {
                let left = self.duration.saturating_sub(began.elapsed());
                in_time = nap(left.min(Duration::from_millis(50)));
                let elapsed = began.elapsed().min(self.duration);
                bar.inc((elapsed - shown).as_millis() as u64);
                shown = elapsed;
            }
            stop.store(true, Relaxed);
            for reader in reading {
                readers.add(&reader.join().expect("a reader does not panic"));
            }
            for writer in writing {
                direct_writes += writer.join().expect("a writer does not panic");
            }
        });
        let elapsed = began.elapsed();
        // The next policy finds everything in the store; what fails here has been counted.
        let _ = mapping.filemap_write_and_wait_range(0..=u64::MAX);
        Ok(Outcome {
            policy: P::NAME,
            sound,
            elapsed,
            cut_short: !in_time,
            readers,
            direct_writes,
            orphans: mapping.orphans(),
            io_errors: mapping.io_errors(),
        })
    }

    /// One process: maps the whole file and reads stamps here and there. After half of its accesses
    /// it lets the page go again, so that there is always something to fault in.
    fn read<P: Policy>(
        &self,
        mapping: &Arc<AddressSpace<P>>,
        stop: &AtomicBool,
        seed: u64,
    ) -> Tally {
        let mut random = Rng::with_seed(seed);
        let mut tally = Tally::new();
        let process = Mm::new();
        let start = process.mmap(mapping, 0, self.pages, Sharing::Shared);
        while !stop.load(Relaxed) {
            let (block, nth) = self.any_block(&mut random);
            let address = start + block * PAGE_SIZE as u64;
            if nth.is_none() && random.u8(..100) < self.mix {
                access(&process, address, Access::Write, &mut tally, || {
                    process.poke(address + 16, &[seed])
                });
            } else {
                let announced = nth.map_or(0, |nth| self.announced[nth].load(Acquire));
                let mut stamp = [0; 2];
                let readable = access(&process, address, Access::Read, &mut tally, || {
                    process.peek(address, &mut stamp)
                });
                if readable {
                    tally.reads += 1;
                    tally.stale_reads += u64::from(generation(block, stamp) < announced);
                }
            }
            if random.bool() {
                process.madvise_dontneed(address, 1);
            }
        }
        tally
    }

    /// One that is rewritten, and which of those it is; or, as often, any other.
    fn any_block(&self, random: &mut Rng) -> (u64, Option<usize>) {
        let rewritten = self.announced.len();
        if random.bool() || self.pages == 1 {
            let nth = random.usize(..rewritten);
            return (self.block(nth as u64), Some(nth));
        }
        loop {
            let block = random.u64(..self.pages);
            let nth = block / self.stride();
            if block % self.stride() != 0 || nth >= rewritten as u64 {
                return (block, None);
            }
        }
    }

    /// Rewrites its share of the blocks, over and over; returns how often.
    fn rewrite<P: Policy>(&self, mapping: &AddressSpace<P>, stop: &AtomicBool, writer: u16) -> u64 {
        let mut random = Rng::with_seed(u64::from(writer) << 32);
        let mut written = 0;
        // No block has two writers, so that its generations come in order.
        let own: Vec<usize> = (usize::from(writer)..self.announced.len())
            .step_by(self.writers.into())
            .collect();
        let mut bytes = [0; PAGE_SIZE];
        while !own.is_empty() && !stop.load(Relaxed) {
            let nth = own[random.usize(..own.len())];
            let block = self.block(nth as u64);
            let generation = self.announced[nth].load(Relaxed) + 1;
            random.fill(&mut bytes[16..]);
            bytes[..8].copy_from_slice(&(MAGIC ^ block).to_le_bytes());
            bytes[8..16].copy_from_slice(&generation.to_le_bytes());
            if mapping.direct_write(block, &bytes).is_ok() {
                self.announced[nth].store(generation, Release);
                written += 1;
            }
            std::thread::sleep(REST);
        }
        written
    }
}

/// Accesses the mapping, with faults where it has to, and counts them. `false` if that failed: an I/O
/// error, which the mapping counts.
fn access<P: Policy>(
    process: &Mm<P>,
    address: u64,
    access: Access,
    tally: &mut Tally,
    mut succeeds: impl FnMut() -> bool,
) -> bool {
    while !succeeds() {
        let began = Instant::now();
        let Ok(faulted) = process.fault(address, access, Patience::DEFAULT) else {
            return false;
        };
        tally
            .latency
            .saturating_record(began.elapsed().as_nanos() as u64);
        tally.faults += 1;
        tally.write_faults += u64::from(access == Access::Write);
        tally.conflicts += u64::from(faulted.conflicts);
        tally.fallbacks += u64::from(faulted.fell_back);
    }
    true
}

/// Writes dirty pages from time to time, as the kernel's flusher threads do.
fn write_back<P: Policy>(mapping: &AddressSpace<P>, stop: &AtomicBool) {
    while !stop.load(Relaxed) {
        // What fails is counted by the mapping.
        let _ = mapping.filemap_write_and_wait_range(0..=u64::MAX);
        std::thread::sleep(WRITEBACK_EVERY);
    }
}

/// The generation of a block, by its first two words; 0 if it has never been rewritten.
fn generation(block: u64, stamp: [u64; 2]) -> u64 {
    match stamp[0] == MAGIC ^ block {
        true => stamp[1],
        false => 0,
    }
}
