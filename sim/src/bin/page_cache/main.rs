//! A page cache under fire: threads read a file through mappings while others rewrite it past the
//! cache, and every old byte that is read after it has been replaced is counted. Six ways to keep
//! that from happening take turns.
//!
//! ```text
//! cargo run --release -p seqschedlock-sim -- FILE
//! ```
//!
//! `FILE` is never changed: a copy is used, in an unnamed file that is gone when this ends.

mod copy;
mod options;
mod plot;
mod report;
mod workload;

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use clap::Parser as _;

use options::Options;
use workload::Workload;

/// Set by Ctrl-C: stop, and show what there is.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A policy that is meant to be sound has let a stale read through.
const EXIT_STALE: u8 = 1;
/// Bad input.
const EXIT_USAGE: u8 = 2;
/// What a shell reports for a program that Ctrl-C has ended.
const EXIT_INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        // `--help`, which is no error and not one line.
        Err(help) if !help.use_stderr() => help.exit(),
        Err(error) => return complain(options::first_line(&error)),
    };
    match run(&options) {
        Ok(_) if INTERRUPTED.load(Relaxed) => ExitCode::from(EXIT_INTERRUPTED),
        Ok(Verdict::AsExpected) => ExitCode::SUCCESS,
        Ok(Verdict::SoundPolicyFailed) => ExitCode::from(EXIT_STALE),
        Err(trouble) => complain(trouble),
    }
}

fn complain(trouble: String) -> ExitCode {
    eprintln!("page_cache: {trouble}");
    ExitCode::from(EXIT_USAGE)
}

enum Verdict {
    AsExpected,
    SoundPolicyFailed,
}

fn run(options: &Options) -> Result<Verdict, String> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Relaxed))
        .map_err(|error| format!("cannot listen for Ctrl-C: {error}"))?;
    if let Some(path) = &options.plot {
        plot::try_path(path)?;
    }
    let Some(copy) = copy::prepare(options.file.as_deref())? else {
        return Ok(Verdict::AsExpected); // interrupted while there was nothing to show yet
    };

    let policies = options.policies();
    let bar = report::progress(options.duration() * policies.len() as u32);
    let workload = Workload::new(copy, options)?;
    let mut outcomes = Vec::new();
    for policy in policies {
        if INTERRUPTED.load(Relaxed) {
            break;
        }
        outcomes.push(policy.run(&workload, &bar)?);
    }
    bar.finish_and_clear();

    let report = match options.json {
        true => format!("{}\n", report::json(&workload, options, &outcomes)),
        false => report::table(&workload, &outcomes),
    };
    print(&report)?;
    if let Some(path) = &options.plot {
        plot::draw(path, &workload, &outcomes)?;
    }
    let failed = |outcome: &workload::Outcome| outcome.sound && !outcome.fresh();
    Ok(match outcomes.iter().any(failed) {
        true => Verdict::SoundPolicyFailed,
        false => Verdict::AsExpected,
    })
}

/// Prints what a reader may have stopped reading: that is no error.
fn print(report: &str) -> Result<(), String> {
    let mut output = std::io::stdout().lock();
    match output
        .write_all(report.as_bytes())
        .and_then(|()| output.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write the report: {error}"))
        }
        _ => Ok(()),
    }
}

/// Sleeps, but not for long after a Ctrl-C; tells whether there was none.
fn nap(duration: Duration) -> bool {
    std::thread::sleep(duration);
    !INTERRUPTED.load(Relaxed)
}
