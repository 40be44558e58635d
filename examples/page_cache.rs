//! A page cache under fire: threads read a file through mappings while others rewrite it past the
//! cache, and every old byte that is read after it has been replaced is counted.
//!
//! ```text
//! cargo run --release --features sim --example page_cache -- FILE
//! ```
//!
//! `FILE` is never changed: a copy is used, in an unnamed file that is gone when this ends.

#![allow(clippy::std_instead_of_core, reason = "as a program would write it")]

#[path = "page_cache/copy.rs"]
mod copy;
#[path = "page_cache/options.rs"]
mod options;
#[path = "page_cache/report.rs"]
mod report;
#[path = "page_cache/workload.rs"]
mod workload;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use clap::Parser as _;
use indicatif::ProgressBar;
use seqschedlock::sim::{Commit, Unprotected};

use options::Options;
use workload::{Outcome, Workload};

/// Runs the workload under one policy.
type Run = fn(&Workload, &ProgressBar) -> Result<Outcome, String>;

/// Set by Ctrl-C: stop, and show what there is.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// What a shell reports for a program that Ctrl-C has ended.
const EXIT_INTERRUPTED: u8 = 130;
/// Bad input.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        // `--help`, which is no error and not one line.
        Err(help) if !help.use_stderr() => help.exit(),
        Err(error) => return complain(options::first_line(&error)),
    };
    match run(&options) {
        Ok(()) if INTERRUPTED.load(Relaxed) => ExitCode::from(EXIT_INTERRUPTED),
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => complain(trouble),
    }
}

fn complain(trouble: String) -> ExitCode {
    eprintln!("page_cache: {trouble}");
    ExitCode::from(EXIT_USAGE)
}

fn run(options: &Options) -> Result<(), String> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Relaxed))
        .map_err(|error| format!("cannot listen for Ctrl-C: {error}"))?;

    let Some(copy) = copy::prepare(options.file.as_deref())? else {
        return Ok(()); // interrupted while there was nothing to show yet
    };
    let workload = Workload::new(copy, options);
    let policies: [Run; 2] = [Workload::run::<Unprotected>, Workload::run::<Commit>];
    let bar = report::progress(options.duration() * policies.len() as u32);
    let mut outcomes = Vec::new();
    for policy in policies {
        if INTERRUPTED.load(Relaxed) {
            break;
        }
        outcomes.push(policy(&workload, &bar)?);
    }
    bar.finish_and_clear();
    print!("{}", report::table(&workload, &outcomes));
    Ok(())
}

/// Sleeps, but not through a Ctrl-C; tells whether the time has passed in full.
fn nap(duration: Duration) -> bool {
    std::thread::sleep(duration);
    !INTERRUPTED.load(Relaxed)
}
