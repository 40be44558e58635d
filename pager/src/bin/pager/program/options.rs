//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, ValueEnum};
use seqschedlock_pager as pager;

use super::crew::{self, Tally};
use super::scratch::Scratch;
use super::workload::{self, Workload};

/// Serve the pages of a file by userfaultfd while they change underneath, and count stale reads.
///
/// Some threads read memory whose pages are loaded when they are touched, like a virtual machine that was
/// restored from a snapshot. Another thread invalidates pages and changes them in the file. After such a
/// change no thread may read the old page. A stale read is one that does: the program goes on with data
/// that has been replaced, and nothing will ever tell it.
///
/// The file itself is never changed. The program works on a copy in the temp folder, which is gone at the end.
#[derive(Debug, Parser)]
#[command(name = "pager", version, after_long_help = EXPLANATION)]
pub struct Options {
    /// Serve the first pages of this file, repeated if it has too few. Without it, pages are made up.
    pub file: Option<PathBuf>,

    /// The policies to run, separated by commas. All by default.
    #[arg(long, value_name = "POLICY", value_delimiter = ',', value_enum)]
    pub policy: Vec<PolicyName>,

    /// The workloads to run, separated by commas. All by default.
    #[arg(long, value_name = "WORKLOAD", value_delimiter = ',',
          value_parser = ["a", "b", "b1", "c", "d", "e"])]
    pub workload: Vec<String>,

    /// The number of rounds in each workload. In each round every policy runs once.
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true,
          value_parser = rounds)]
    pub rounds: usize,

    /// How long each policy runs in a round, such as 250ms or 1s.
    #[arg(long, value_name = "TIME", default_value = "250ms", allow_negative_numbers = true,
          value_parser = time)]
    pub round: Duration,

    /// The number of threads that read.
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u16).range(1..=512))]
    pub readers: u16,

    /// The number of threads that load pages.
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u16).range(1..=512))]
    pub handlers: u16,

    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub json: bool,

    /// Draw the rate of faults and the wait of invalidations under each policy.
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
}

const EXPLANATION: &str = "\
The policies:
  unprotected  no protection, as in many page fault handlers
  rwlock       a plain RwLock of std: a fault holds it shared, an invalidation exclusively
  page-mutex   a mutex for every page: a fault holds one, an invalidation those of all its pages
  gate         this crate: load without a lock, then check and map in the gate where changes begin
  closed       this crate: load behind the mapping, check, then open the page

The workloads:
  a   64 pages; every 150 us one changes, which takes 50 us
  b   1024 pages; every 2 ms 16 of them change, which takes 1 ms
  b1  as b, but without a pause between changes
  c   256 pages that never change
  d   4 pages; every 30 us one changes
  e   64 pages that take 5 ms to load; every 5 ms 16 of them change
  Pages take 50 us to load, except in e. Readers also evict pages, so that there are always some to load.

The tables:
  stale reads      reads of a page that was replaced before the read began. Should be 0
  faults/s         reads that waited for a load
  to Unprotected   the ratio within a round: its median and quartiles over all rounds (with fewer than
                   eight rounds: minimum and maximum)
  lost loads       loads that were wasted because the page changed meanwhile
  turns            faults that lost three times and then kept the gate to get through
  p50, p99.9       half of the reads, faults or invalidations were faster, and 99.9 % of them. For an
                   invalidation: the time until the pages were out and the change could begin

With `--rounds 30` it takes four minutes.

Exit codes: 0 success; 1 a sound policy served a stale page; 2 bad input, or this system permits no
userfaultfd; 130 ended by Ctrl-C, with the tables so far.";

/// A policy, by its name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyName {
    Unprotected,
    #[value(name = "rwlock")]
    RwLock,
    PageMutex,
    Gate,
    Closed,
}

impl PolicyName {
    /// Runs this policy for one round.
    pub fn run(
        self,
        workload: &Workload,
        scratch: &Scratch,
        options: &Options,
    ) -> Result<Tally, String> {
        match self {
            Self::Unprotected => crew::run::<pager::Unprotected>(workload, scratch, options),
            Self::RwLock => crew::run::<pager::RwLock>(workload, scratch, options),
            Self::PageMutex => crew::run::<pager::PageMutex>(workload, scratch, options),
            Self::Gate => crew::run::<pager::Gate>(workload, scratch, options),
            Self::Closed => crew::run::<pager::Closed>(workload, scratch, options),
        }
    }

    pub fn name(self) -> &'static str {
        use pager::Policy;
        match self {
            Self::Unprotected => pager::Unprotected::NAME,
            Self::RwLock => pager::RwLock::NAME,
            Self::PageMutex => pager::PageMutex::NAME,
            Self::Gate => pager::Gate::NAME,
            Self::Closed => pager::Closed::NAME,
        }
    }

    /// Explains the policy in one line.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Unprotected => {
                "no protection: a load maps its page even if the page has changed meanwhile"
            }
            Self::RwLock => {
                "a plain RwLock of std: a fault holds it shared, an invalidation exclusively"
            }
            Self::PageMutex => {
                "a mutex for every page: a fault holds one, an invalidation those of all its pages"
            }
            Self::Gate => {
                "this crate: a fault loads without a lock, then checks and maps in the gate where changes begin"
            }
            Self::Closed => {
                "this crate: a fault loads behind the mapping, checks, then opens the page"
            }
        }
    }

    /// Whether it must not serve stale pages.
    pub fn is_sound(self) -> bool {
        self != Self::Unprotected
    }

    pub fn is_ours(self) -> bool {
        matches!(self, Self::Gate | Self::Closed)
    }
}

impl Options {
    /// The policies to run, each once, in the usual order.
    pub fn policies(&self) -> Vec<PolicyName> {
        let all = PolicyName::value_variants().iter().copied();
        all.filter(|policy| self.policy.is_empty() || self.policy.contains(policy))
            .collect()
    }

    /// The workloads to run, each once, in the usual order.
    pub fn workloads(&self) -> Vec<&'static Workload> {
        let asked = |workload: &&Workload| {
            self.workload.is_empty() || self.workload.iter().any(|name| name == workload.name)
        };
        workload::ALL.iter().filter(asked).collect()
    }
}

fn rounds(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(rounds @ 1..=10_000) => Ok(rounds),
        Ok(rounds) => Err(format!("{rounds} is not in 1..=10000")),
        Err(_) => Err("not a number".to_owned()),
    }
}

/// A number and its unit: `ms` or `s`.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic());
    let number: f64 = digits
        .parse()
        .map_err(|_| "not a time such as 250ms or 1s".to_owned())?;
    let seconds = match &text[digits.len()..] {
        "ms" => number / 1e3,
        "s" => number,
        "" => return Err("needs a unit: ms or s".to_owned()),
        unit => return Err(format!("unknown unit of time {unit}: use ms or s")),
    };
    if (0.01..=60.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("must lie between 10ms and 60s".to_owned())
    }
}

/// The error of a command line in one line, with the possible values if it is about one of a list.
pub fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    let line = line.trim_start_matches("error: ");
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !values.is_empty() => {
            format!("{line} ({})", values.join(", "))
        }
        _ => format!("{line} (see --help)"),
    }
}
