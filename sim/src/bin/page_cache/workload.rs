//! What goes on in a round: readers, writers, and how a stale read is told from a fresh one.
//!
//! Every block that is rewritten carries a stamp: its own number and the generation of the write.
//! When a direct write has returned, its generation is announced. A reader notes the announced
//! generation *before* it touches its mapping; if the bytes it then reads are of an older one, they
//! are stale.

mod blocks;
mod reader;
mod writer;

use std::io::{Read as _, Seek as _};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
#[cfg(unix)]
use seqschedlock_sim::page_cache::FileStore;
use seqschedlock_sim::page_cache::{AddressSpace, MemStore, Policy, Store};

use crate::copy::Copy;
use crate::crew::{Crew, Gate};
use crate::options::{Io, Options};
use crate::outcome::{Faults, Figures, Writes};
use crate::round::{Journal, Round, SlowDisk};
use crate::terminal::interrupted;
use blocks::Blocks;

/// How often dirty pages are written, where there are any.
const WRITEBACK_EVERY: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub struct Workload {
    pub name: String,
    pub blocks: Blocks,
    pub threads: u16,
    pub writers: u16,
    pub rounds: u32,
    /// Of one round.
    pub duration: Duration,
    pub every: Duration,
    hold: Duration,
    mix: u8,
    store: Arc<dyn Store>,
    latency: Duration,
    /// For each extent the generation of the last direct write that has returned. It goes on from one
    /// round to the next, as the store does.
    announced: Vec<AtomicU64>,
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
                "{name} has only one page, which is rewritten: --mix needs two"
            ));
        }
        let (store, latency): (Arc<dyn Store>, _) = match options.io {
            #[cfg(unix)]
            Io::File => (Arc::new(FileStore::new(file)), Duration::ZERO),
            #[cfg(not(unix))]
            Io::File => return Err("a file can be read on Unix only: give --io a time".into()),
            Io::Memory { latency } => {
                let mut bytes = Vec::new();
                file.rewind()
                    .and_then(|()| file.read_to_end(&mut bytes))
                    .map_err(|error| format!("cannot read the copy: {error}"))?;
                (
                    Arc::new(MemStore::with_bytes(bytes, Duration::ZERO)),
                    latency,
                )
            }
        };
        let blocks = Blocks::new(pages, options.range);
        let announced = (0..blocks.extents).map(|_| AtomicU64::new(0)).collect();
        let rounds = options.rounds();
        Ok(Self {
            name,
            blocks,
            threads: options.threads(),
            writers: options.writers,
            rounds,
            duration: options.duration() / rounds,
            every: options.every,
            hold: options.hold,
            mix: options.mix,
            store,
            latency,
            announced,
        })
    }

    /// How many direct writes per second the writers would do if nothing held them up; `None` if they
    /// begin again as soon as they can.
    pub fn wanted(&self) -> Option<f64> {
        // No more writers than this have anything to write.
        let writers = u64::from(self.writers).min(self.blocks.extents);
        (!self.every.is_zero()).then(|| writers as f64 / self.every.as_secs_f64())
    }

    /// One round under one policy; less, if Ctrl-C comes. The cache is empty when it begins.
    pub fn round<P: Policy>(&self, number: u32, bar: &ProgressBar) -> Result<Figures, String> {
        let round = Arc::new(Round::default());
        let disk = SlowDisk {
            store: Arc::clone(&self.store),
            latency: self.latency,
            round: Arc::clone(&round),
        };
        let journal = Journal {
            hold: self.hold,
            round: Arc::clone(&round),
        };
        let mapping = AddressSpace::<P>::new(disk, journal)
            .map_err(|error| format!("cannot use the copy: {error}"))?;

        let gate = Gate::default();
        let mut figures = Figures::default();
        std::thread::scope(|scope| {
            let (mapping, round) = (&mapping, &*round);
            let mut crew = Crew::new(scope, &gate);
            let mut readers = Vec::new();
            let mut writers = Vec::new();
            for nth in 0..u64::from(self.threads) {
                let seed = u64::from(number) << 32 | nth;
                readers.push(crew.hire(move || self.read(mapping, round, seed))?);
            }
            for nth in 0..self.writers {
                writers.push(crew.hire(move || self.rewrite(mapping, round, nth))?);
            }
            if self.mix != 0 {
                crew.hire(move || write_back(mapping, round))?;
            }
            crew.start();
            let began = Instant::now();
            figures.cut_short = !self.wait(began, bar);
            round.end();
            figures.elapsed = began.elapsed();

            for reader in readers {
                let faults: Option<Faults> = reader.join().expect("a reader does not panic");
                figures.faults.add(&faults.expect("the gate was opened"));
            }
            for writer in writers {
                let writes: Option<Writes> = writer.join().expect("a writer does not panic");
                figures.writes.add(&writes.expect("the gate was opened"));
            }
            Ok::<_, String>(())
        })?;
        // The next round finds everything in the store; what fails here has been counted.
        let _ = mapping.filemap_write_and_wait_range(0..=u64::MAX);
        figures.orphans = mapping.orphans();
        figures.io_errors = mapping.io_errors();
        Ok(figures)
    }

    /// Waits until the time of a round is up; `false` if Ctrl-C came first.
    fn wait(&self, began: Instant, bar: &ProgressBar) -> bool {
        let mut shown = Duration::ZERO;
        while shown < self.duration {
            if interrupted() {
                return false;
            }
            std::thread::sleep((self.duration - shown).min(Duration::from_millis(50)));
            let elapsed = began.elapsed().min(self.duration);
            bar.inc((elapsed - shown).as_micros() as u64);
            shown = elapsed;
        }
        !interrupted()
    }
}

/// Writes dirty pages from time to time, as the kernel's flusher threads do.
fn write_back<P: Policy>(mapping: &AddressSpace<P>, round: &Round) {
    while !round.is_over() {
        // What fails is counted by the mapping.
        let _ = mapping.filemap_write_and_wait_range(0..=u64::MAX);
        round.sleep(WRITEBACK_EVERY);
    }
}
