//! The command line.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::{Parser, ValueEnum as _};

use crate::policies::PolicyName;
use crate::terminal::{seconds, time};

/// Serve a file through a simulated page cache while its blocks are rewritten underneath, and count
/// the stale reads.
///
/// Reader threads read the file through mappings, like programs that have mapped it into memory. A read
/// that finds nothing mapped is a fault: the cache finds the page and maps it. Writer threads rewrite
/// blocks directly on disk, like a database or a virtual machine, and make the cache forget its copies;
/// the cache sleeps while it forgets. Once such a direct write has returned, no read may return the old
/// bytes. A read that does is stale: the program goes on with data that has been replaced, and nothing
/// will ever tell it.
///
/// The file itself is never changed. A copy in the temp folder is used, which is gone at the end.
#[derive(Debug, Parser)]
#[command(name = "page_cache", version, after_long_help = TABLE)]
pub struct Options {
    /// The file to serve (its first GiB, if it is larger). Without one, 64 MiB are made up.
    pub file: Option<PathBuf>,

    /// Which policies protect the cache, separated by commas. All by default.
    #[arg(long, value_name = "POLICY", value_delimiter = ',', value_enum)]
    pub policy: Vec<PolicyName>,

    /// How many threads read, each through a mapping of its own. By default one per processor.
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = clap::value_parser!(u16).range(1..=MOST_THREADS))]
    threads: Option<u16>,

    /// How many threads rewrite blocks.
    #[arg(long, value_name = "N", default_value_t = 2, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u16).range(0..=64))]
    pub writers: u16,

    /// How many neighbouring blocks a direct write rewrites.
    #[arg(long, value_name = "N", default_value_t = 16, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub range: u64,

    /// How often each writer begins a direct write: 20ms, or 0 to begin the next one as soon as the last
    /// has returned. A writer that is late does not catch up.
    #[arg(long, value_name = "TIME", default_value = "20ms", allow_negative_numbers = true,
          value_parser = time)]
    pub every: Duration,

    /// How long the cache sleeps halfway through forgetting a block, like a file system that waits for
    /// its journal: 500us, 1ms, or 0.
    #[arg(long, value_name = "TIME", default_value = "500us", allow_negative_numbers = true,
          value_parser = time)]
    pub hold: Duration,

    /// How long each policy runs in total, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, allow_negative_numbers = true,
          value_parser = seconds)]
    seconds: f64,

    /// How many rounds that time is split into. The policies take turns, so that whatever else the
    /// machine does affects all of them. By default 20, or fewer if a round would be shorter than 0.1 s.
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: Option<u32>,

    /// Where blocks are read from: `file` for the copy on disk, or a time such as 50us for memory
    /// with that latency.
    #[arg(long, value_name = "file|TIME", default_value = "file", allow_negative_numbers = true,
          value_parser = io)]
    pub io: Io,

    /// How many in a hundred accesses write to the mapping (never to the blocks that are rewritten).
    #[arg(long, value_name = "PERCENT", default_value_t = 0, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u8).range(0..=100))]
    pub mix: u8,

    /// Print one JSON object instead of the table.
    #[arg(long)]
    pub json: bool,

    /// Draw what each policy costs readers and writers.
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
}

const MOST_THREADS: i64 = 512;

/// Rounds are shorter only if the user asks for it.
const SHORTEST_ROUND: Duration = Duration::from_millis(100);

const TABLE: &str = "\
The policies, oldest first:
  unprotected        Linux of 2005: nothing. A page can be mapped just after it was forgotten.
  as-posted          the patch of December 2005: check whether a write is under way, then map.
  page-lock          merged in 2007: every fault locks its page, and so does forgetting it.
  invalidate-rwlock  merged in 2021, a plain RwLock: faults hold it shared, a direct write
                     exclusively while the cache forgets its blocks.
  commit             this crate: map, then check; undo it if a write was under way.
  striped            this crate, 64 locks: the same, but few faults meet a write.

The table:
  faults/s           faults that were served
  fault p50, p99.9   half of all faults took at most the first, all but one in a thousand the second
  direct writes/s    direct writes that returned: what the policy leaves the writers
  write p50, p99.9   how long they took
  stale reads        reads of bytes that had been replaced before the read began. Should be 0
  orphans            orphaned mappings: pages that stayed mapped after the cache had forgotten
                     them. Should be 0

--json has these and more:
  retries            how often a fault met a write and had to look again
  fallbacks          faults that then took the page lock instead, to be sure to finish
  rounds             the rates of each round

The verdict compares policies within each round and gives the median of all rounds. The range in brackets,
and in the table after ±, is where the median of very many rounds would lie in 99 of 100 cases; that takes
eight rounds or more. If the range leaves open which policy did more, the verdict reports no clear difference.

With --range 1 --every 0 --threads 4 the writers suffer from the RwLock instead: an endless stream of
readers keeps them from getting it exclusively.

Exit codes: 0 all went as expected; 1 a policy that should be safe let a stale read through;
2 bad input, or no room for so many threads; 130 interrupted by Ctrl-C, with the table so far.";

/// What the blocks are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    File,
    Memory { latency: Duration },
}

impl Options {
    /// How long each policy runs.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// How many rounds each policy has.
    pub fn rounds(&self) -> u32 {
        let fit = self.duration().div_duration_f64(SHORTEST_ROUND) as u32;
        self.rounds.unwrap_or(fit.clamp(1, 20))
    }

    /// How many threads read.
    pub fn threads(&self) -> u16 {
        let processors = || available_parallelism().map_or(1, NonZero::get);
        self.threads
            .unwrap_or_else(|| processors().min(MOST_THREADS as usize) as u16)
    }

    /// The policies to run, each once and in the usual order.
    pub fn policies(&self) -> Vec<PolicyName> {
        let all = PolicyName::value_variants().iter().copied();
        all.filter(|policy| self.policy.is_empty() || self.policy.contains(policy))
            .collect()
    }
}

fn io(text: &str) -> Result<Io, String> {
    match text {
        "file" => Ok(Io::File),
        // Only what begins like a number is taken for a time with a mistake in it.
        text if text.starts_with(|first: char| first.is_ascii_digit()) => {
            time(text).map(|latency| Io::Memory { latency })
        }
        _ => Err("give `file` or a time such as 50us".to_owned()),
    }
}
