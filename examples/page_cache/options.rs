//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Serve a file through a simulated page cache while its blocks are rewritten underneath, and count
/// the stale reads.
///
/// Some threads read the file through mappings, as programs do that have it mapped into memory.
/// Others rewrite blocks of it directly on disk, as a database or a virtual machine does, and tell
/// the cache to forget its copies. When such a write has returned, nobody may read the old bytes
/// any more. A stale read is one that did: the program goes on with data that has been replaced,
/// and nothing will ever correct it.
///
/// The file itself is never changed; a copy in the temp folder is used, and removed at the end.
#[derive(Debug, Parser)]
#[command(name = "page_cache")]
pub struct Options {
    /// The file to serve (its first GiB, if it is larger). Without one, 64 MiB are made up.
    pub file: Option<PathBuf>,

    /// How many threads read through mappings, each through its own.
    #[arg(long, value_name = "N", default_value_t = 4, allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub threads: u16,

    /// How many threads rewrite blocks.
    #[arg(long, value_name = "N", default_value_t = 2, allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub writers: u16,

    /// How long each policy runs, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds, allow_negative_numbers = true)]
    pub seconds: f64,

    /// How long an invalidate sleeps halfway, in microseconds.
    #[arg(long, value_name = "MICROSECONDS", default_value_t = 200, allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(..=10_000_000))]
    pub hold: u64,
}

impl Options {
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    pub fn hold(&self) -> Duration {
        Duration::from_micros(self.hold)
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

/// What is wrong with a command line, without the advice around it.
pub fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    format!("{} (see --help)", line.trim_start_matches("error: "))
}
