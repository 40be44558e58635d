//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, ValueEnum};
use seqschedlock_pager as pager;

use super::crew::{self, Tally};
use super::scratch::Scratch;
use super::workload::{self, Workload};

/// Serve a file's pages by userfaultfd while they are changed underneath, and count the stale reads.
///
/// Some threads read memory whose pages are loaded when they are touched, as a virtual machine does that has been
/// restored from a snapshot. Another one invalidates pages, changes them in the file, and goes on. When that is over
/// nobody may read the old page any more. A stale read is one that did: that program goes on with data that has
/// been replaced, and nothing will ever tell it.
///
/// The file itself is never changed; a copy in the temp folder is used, and gone at the end.
#[derive(Debug, Parser)]
#[command(name = "pager", version, after_long_help = EXPLANATION)]
pub struct Options {
    /// The file whose first pages are served, over and over if it has fewer than it takes. Without one, pages
    /// are made up.
    pub file: Option<PathBuf>,

    /// Which ways to protect the pages take part; several with commas between. All by default.
    #[arg(long, value_name = "POLICY", value_delimiter = ',', value_enum)]
    pub policy: Vec<PolicyName>,

    /// What the threads do; several with commas between. All by default.
    #[arg(long, value_name = "WORKLOAD", value_delimiter = ',',
          value_parser = ["a", "b", "b1", "c", "d", "e"])]
    pub workload: Vec<String>,

    /// How often each policy gets its turn in each workload.
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true,
          value_parser = rounds)]
    pub rounds: usize,

    /// How long such a turn takes: 250ms, 1s.
    #[arg(long, value_name = "TIME", default_value = "250ms", allow_negative_numbers = true,
          value_parser = time)]
    pub round: Duration,

    /// How many threads read.
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u16).range(1..=512))]
    pub readers: u16,

    /// How many threads load pages.
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u16).range(1..=512))]
    pub handlers: u16,

    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub json: bool,

    /// Draw what faults and invalidations got under each policy.
    #[arg(long, value_name = "FILE.svg")]
    pub plot: Option<PathBuf>,
}

const EXPLANATION: &str = "\
The policies:
  unprotected  nothing, as in many a page fault handler
  rwlock       a plain RwLock of std: loads share it, an invalidation has it alone
  page-mutex   a mutex for every page; an invalidation takes those of all its pages
  gate         this crate: load beside everything; check and map in the gate that changes begin in
  closed       this crate: load behind the mapping, check, then open

The workloads:
  a   64 pages, single ones changed, 50 us each, every 150 us
  b   1024 pages, 16 changed at a time, 1 ms each, every 2 ms
  b1  the same, one change after the other
  c   256 pages that are never changed
  d   4 pages, single ones changed every 30 us
  e   64 pages, loads of 5 ms, 16 changed at a time every 5 ms
  Loads take 50 us where nothing is said. Readers also give pages back, so that there is always one to load.

The tables:
  stale reads      reads of a page that had been replaced before the read began. Should be 0
  faults/s         those reads that waited for a load
  to Unprotected   the ratio within each round: its median, and between what half of the rounds lay (all of
                   them, if they are fewer than eight)
  lost loads       loads that were for nothing, since the page was changed meanwhile
  turns            faults that lost three times, and held up changes to get through
  p50, p99.9       how long half of them took at most, and all but one in a thousand; of an invalidation: until
                   the pages were out and the change could begin

The figures of docs/benchmarks.md are from `--rounds 30`, which takes four minutes.

Exit codes: 0 all went as expected; 1 a policy that should be safe let a stale read through; 2 bad input, or no
userfaultfd on this system; 130 ended by Ctrl-C, with the tables so far.";

/// A policy, as the user calls it.
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
    /// One turn.
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

    /// What it does, in plain words.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Unprotected => "nothing: a load maps what it has, however old that is by now",
            Self::RwLock => {
                "a plain RwLock of std: loads share it, an invalidation has it alone while it changes pages"
            }
            Self::PageMutex => {
                "a mutex for every page: a load holds its page's, an invalidation those of all its pages"
            }
            Self::Gate => {
                "this crate: loads run beside changes; they are checked and mapped in a gate that \
                 changes begin in"
            }
            Self::Closed => {
                "this crate: loads go behind the mapping, are checked there, and opened then"
            }
        }
    }

    /// Whether it is meant to be.
    pub fn is_sound(self) -> bool {
        self != Self::Unprotected
    }

    pub fn is_ours(self) -> bool {
        matches!(self, Self::Gate | Self::Closed)
    }
}

impl Options {
    /// Those that take part, each once and in the usual order.
    pub fn policies(&self) -> Vec<PolicyName> {
        let all = PolicyName::value_variants().iter().copied();
        all.filter(|policy| self.policy.is_empty() || self.policy.contains(policy))
            .collect()
    }

    /// Likewise.
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
        unit => return Err(format!("{unit} is no unit of time here; ms and s are")),
    };
    if (0.01..=60.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("must lie between 10ms and 60s".to_owned())
    }
}

/// What is wrong with a command line, without the advice around it, and what would be right if that is a list.
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
