//! Readers, writers, and how a stale read is told from a fresh one.
//!
//! Every block that is rewritten carries a stamp: its own number and the generation of the write.
//! When a direct write has returned, its generation is announced. A reader notes the announced
//! generation *before* it touches its mapping; if the bytes it then reads are of an older one, they
//! are stale.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use indicatif::ProgressBar;
use seqschedlock::sim::{
    Access, AddressSpace, FileStore, Mm, PAGE_SIZE, Patience, PlainFs, Policy, Sharing,
};

use crate::copy::Copy;
use crate::nap;
use crate::options::Options;

/// So many blocks are rewritten, spread over the file. Half of all reads go to them.
const REWRITTEN: u64 = 64;
/// Marks a block that carries a stamp.
const MAGIC: u64 = 0x5e95_c4ed_10c4_2005;
/// How long a writer rests between two writes.
const REST: Duration = Duration::from_micros(100);

#[derive(Debug)]
pub struct Workload {
    pub copy: Copy,
    pub threads: u16,
    writers: u16,
    duration: Duration,
    hold: Duration,
    /// For each rewritten block the generation of the last direct write that has returned. It goes
    /// on from one policy to the next, as the copy does.
    announced: Vec<AtomicU64>,
}

/// What one policy has to show.
#[derive(Debug)]
pub struct Outcome {
    pub policy: &'static str,
    pub elapsed: Duration,
    pub cut_short: bool,
    pub readers: Tally,
    pub direct_writes: u64,
    pub orphans: u64,
    pub io_errors: u64,
}

/// What readers count.
#[derive(Debug)]
pub struct Tally {
    pub faults: u64,
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
            conflicts: 0,
            fallbacks: 0,
            reads: 0,
            stale_reads: 0,
            latency: Histogram::new_with_bounds(1, a_minute, 3).expect("the bounds are in order"),
        }
    }

    fn add(&mut self, other: &Tally) {
        self.faults += other.faults;
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
    pub fn new(copy: Copy, options: &Options) -> Self {
        let rewritten = copy.pages.min(REWRITTEN);
        Self {
            copy,
            threads: options.threads,
            writers: options.writers,
            duration: options.duration(),
            hold: options.hold(),
            announced: (0..rewritten).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The block of the file that is the `nth` to be rewritten.
    fn block(&self, nth: u64) -> u64 {
        nth * (self.copy.pages / self.announced.len() as u64)
    }

    /// Runs one policy for as long as was asked, or until Ctrl-C.
    pub fn run<P: Policy>(&self, bar: &ProgressBar) -> Result<Outcome, String> {
        bar.set_message(P::NAME);
        let file = self
            .copy
            .file
            .try_clone()
            .map_err(|error| format!("cannot reopen the copy: {error}"))?;
        let mapping = AddressSpace::<P>::new(FileStore::new(file), PlainFs { release: self.hold })
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
        Ok(Outcome {
            policy: P::NAME,
            elapsed: began.elapsed(),
            cut_short: !in_time,
            readers,
            direct_writes,
            orphans: mapping.orphans(),
            io_errors: mapping.io_errors(),
        })
    }

    /// One process: maps the whole file and reads stamps here and there. After half of its reads it
    /// lets the page go again, so that there is always something to fault in.
    fn read<P: Policy>(
        &self,
        mapping: &Arc<AddressSpace<P>>,
        stop: &AtomicBool,
        seed: u64,
    ) -> Tally {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut tally = Tally::new();
        let process = Mm::new();
        let start = process.mmap(mapping, 0, self.copy.pages, Sharing::Shared);
        while !stop.load(Relaxed) {
            let nth = random.u64(..self.announced.len() as u64);
            let (block, announced) = if random.bool() {
                (self.block(nth), self.announced[nth as usize].load(Acquire))
            } else {
                (random.u64(..self.copy.pages), 0)
            };
            let address = start + block * PAGE_SIZE as u64;
            let mut stamp = [0; 2];
            while !process.peek(address, &mut stamp) {
                let began = Instant::now();
                let Ok(faulted) = process.fault(address, Access::Read, Patience::DEFAULT) else {
                    break; // an I/O error, which the mapping counts
                };
                tally
                    .latency
                    .saturating_record(began.elapsed().as_nanos() as u64);
                tally.faults += 1;
                tally.conflicts += u64::from(faulted.conflicts);
                tally.fallbacks += u64::from(faulted.fell_back);
            }
            tally.reads += 1;
            tally.stale_reads += u64::from(generation(block, stamp) < announced);
            if random.bool() {
                process.madvise_dontneed(address, 1);
            }
        }
        tally
    }

    /// Rewrites its share of the blocks, over and over; returns how often.
    fn rewrite<P: Policy>(&self, mapping: &AddressSpace<P>, stop: &AtomicBool, writer: u16) -> u64 {
        let mut random = fastrand::Rng::with_seed(u64::from(writer) << 32);
        let mut written = 0;
        // No block has two writers, so that its generations come in order.
        let own: Vec<usize> = (0..self.announced.len())
            .filter(|nth| nth % usize::from(self.writers) == usize::from(writer))
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

/// The generation of a block, by its first two words; 0 if it has never been rewritten.
fn generation(block: u64, stamp: [u64; 2]) -> u64 {
    match stamp[0] == MAGIC ^ block {
        true => stamp[1],
        false => 0,
    }
}
