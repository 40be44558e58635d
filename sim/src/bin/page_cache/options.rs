//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use indicatif::ProgressBar;
use seqschedlock_sim::page_cache as sim;

use crate::workload::{Outcome, Workload};

/// Serve a file through a simulated page cache while its blocks are rewritten underneath, and count
/// the stale reads.
///
/// Some threads read the file through mappings, as programs do that have mapped it into memory.
/// Others rewrite blocks of it directly on disk, as a database or a virtual machine does, and tell
/// the cache to forget its copies. When such a write has returned, nobody may read the old bytes any
/// more. A stale read is one that did: that program goes on with data that has been replaced, and
/// nothing will ever tell it.
///
/// The file itself is never changed; a copy in the temp folder is used, and gone at the end.
#[derive(Debug, Parser)]
#[command(name = "page_cache", version, after_long_help = TABLE)]
pub struct Options {
    /// The file to serve (its first GiB, if it is larger). Without one, 64 MiB are made up.
    pub file: Option<PathBuf>,

    /// Which ways to protect the cache take part; several with commas between. All by default.
    #[arg(long, value_name = "POLICY", value_delimiter = ',', value_enum)]
    pub policy: Vec<PolicyName>,

    /// How many threads read through mappings, each through its own.
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u16).range(1..=512))]
    pub threads: u16,

    /// How many threads rewrite blocks.
    #[arg(long, value_name = "N", default_value_t = 2, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u16).range(0..=64))]
    pub writers: u16,

    /// How long each policy runs, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, allow_negative_numbers = true,
          value_parser = seconds)]
    pub seconds: f64,

    /// How long the cache sleeps halfway through forgetting a block, as a file system does that waits
    /// for its journal: 200us, 1ms, or 0.
    #[arg(long, value_name = "TIME", default_value = "200us", allow_negative_numbers = true,
          value_parser = time)]
    pub hold: Duration,

    /// Where blocks are read from: `file`, the copy on disk, or memory that answers after a time
    /// such as 50us.
    #[arg(long, value_name = "file|TIME", default_value = "file", allow_negative_numbers = true,
          value_parser = io)]
    pub io: Io,

    /// How many of a hundred accesses write to the mapping (never to the blocks that are rewritten).
    #[arg(long, value_name = "PERCENT", default_value_t = 0, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u8).range(0..=100))]
    pub mix: u8,

    /// Print one JSON object instead of the table.
    #[arg(long)]
    pub json: bool,

    /// Draw throughput and latency of each policy.
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
}

const TABLE: &str = "\
The policies, oldest first:
  unprotected        Linux of 2005: nothing. A page can be mapped just after it was forgotten.
  as-posted          the patch of December 2005: ask whether a write is under way, then map.
  page-lock          merged in 2007: every page fault locks its page.
  invalidate-rwlock  merged in 2021: page faults share a lock that forgetting has alone.
  commit             this crate: map, then ask; take it back if a write came in between.
  striped            the same with 64 locks, so that blocks rarely disturb each other.

The table:
  faults/s           accesses that found nothing mapped, and were served by the cache
  direct writes/s    blocks rewritten on disk
  retries            faults that met a write and had to look again
  fallbacks          those of them that took the page lock instead, to be sure to end
  stale reads        reads of bytes that had been replaced before the read began. Should be 0
  orphaned mappings  pages that stayed mapped though the cache had forgotten them. Should be 0
  p50, p99.9         how long half of all faults took at most, and all but one in a thousand

Exit codes: 0 all went as expected; 1 a policy that should be safe let a stale read through;
2 bad input; 130 ended by Ctrl-C, with the table so far.";

/// A policy, as the user calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyName {
    Unprotected,
    AsPosted,
    PageLock,
    #[value(name = "invalidate-rwlock")]
    InvalidateRwLock,
    Commit,
    Striped,
}

impl PolicyName {
    /// Runs the workload under this policy.
    pub fn run(self, workload: &Workload, bar: &ProgressBar) -> Result<Outcome, String> {
        match self {
            Self::Unprotected => workload.run::<sim::Unprotected>(false, bar),
            Self::AsPosted => workload.run::<sim::AsPosted>(false, bar),
            Self::PageLock => workload.run::<sim::PageLock>(true, bar),
            Self::InvalidateRwLock => workload.run::<sim::InvalidateRwLock>(true, bar),
            Self::Commit => workload.run::<sim::Commit>(true, bar),
            Self::Striped => workload.run::<sim::Striped>(true, bar),
        }
    }
}

/// What the blocks are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    File,
    Memory { latency: Duration },
}

impl Options {
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// Those that take part, each once and in the usual order.
    pub fn policies(&self) -> Vec<PolicyName> {
        let all = PolicyName::value_variants().iter().copied();
        all.filter(|policy| self.policy.is_empty() || self.policy.contains(policy))
            .collect()
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.01..=86_400.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("must lie between 0.01 and 86400".to_owned())
    }
}

/// A number and its unit: `us`, `ms` or `s`.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic());
    let number: f64 = digits
        .parse()
        .map_err(|_| "not a time such as 200us, 1ms or 0".to_owned())?;
    let seconds = match &text[digits.len()..] {
        "us" | "µs" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "" if number == 0.0 => 0.0,
        "" => return Err("needs a unit: us, ms or s".to_owned()),
        unit => return Err(format!("{unit} is no unit of time here; us, ms and s are")),
    };
    if (0.0..=10.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("must lie between 0 and 10s".to_owned())
    }
}

fn io(text: &str) -> Result<Io, String> {
    match text {
        "file" => Ok(Io::File),
        text => time(text)
            .map(|latency| Io::Memory { latency })
            .map_err(|error| format!("neither `file` nor a time: {error}")),
    }
}

/// What is wrong with a command line, without the advice around it.
pub fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    format!("{} (see --help)", line.trim_start_matches("error: "))
}
