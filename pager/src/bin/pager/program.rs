//! The program, on Linux.

mod crew;
mod figures;
mod json;
mod options;
mod plot;
mod report;
mod scratch;
mod verdict;
mod workload;

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use clap::Parser as _;

use figures::Figures;
use options::Options;
use scratch::Scratch;

/// Set by Ctrl-C: stop, and show the results so far.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A sound policy has served a stale page.
const EXIT_STALE: u8 = 1;
/// Bad input, or a system without userfaultfd.
const EXIT_USAGE: u8 = 2;
/// The exit status that shells report for a program that Ctrl-C has ended.
const EXIT_INTERRUPTED: u8 = 130;

pub fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        // `--help`, which is neither an error nor one line.
        Err(help) if !help.use_stderr() => help.exit(),
        Err(error) => return complain(&options::one_line(&error)),
    };
    match run(&options) {
        Ok(_) if INTERRUPTED.load(Relaxed) => ExitCode::from(EXIT_INTERRUPTED),
        Ok(figures) if figures.iter().any(Figures::failed) => ExitCode::from(EXIT_STALE),
        Ok(_) => ExitCode::SUCCESS,
        Err(trouble) => complain(&trouble),
    }
}

fn complain(trouble: &str) -> ExitCode {
    eprintln!("pager: {trouble}");
    ExitCode::from(EXIT_USAGE)
}

/// Runs all workloads, shows the results, and returns them.
fn run(options: &Options) -> Result<Vec<Figures>, String> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Relaxed))
        .map_err(|error| format!("cannot listen for Ctrl-C: {error}"))?;
    seqschedlock_pager::available().map_err(|error| error.to_string())?;
    if let Some(path) = &options.plot {
        plot::try_path(path)?;
    }
    sleep_exactly();

    let workloads = options.workloads();
    let policies = options.policies();
    let pages = workloads.iter().map(|workload| workload.pages).max();
    let scratch = Scratch::new(options.file.as_deref(), pages.unwrap_or(1))?;
    let rounds = workloads.len() * options.rounds * policies.len();
    let bar = report::progress(rounds as u64);
    let mut all = Vec::new();
    'all: for workload in workloads {
        let mut figures = Figures::new(workload, &policies);
        for _ in 0..options.rounds {
            figures.begin_round();
            for policy in &policies {
                bar.set_message(format!("{}: {}", workload.name, policy.name()));
                let tally = policy.run(workload, &scratch, options)?;
                if INTERRUPTED.load(Relaxed) {
                    all.push(figures);
                    break 'all;
                }
                figures.add(*policy, tally);
                bar.inc(1);
            }
        }
        all.push(figures);
    }
    drop(bar);
    all.retain(|figures| !figures.is_empty());

    let text = match options.json {
        true => format!("{}\n", json::report(&scratch, options, &all)),
        false => report::text(&scratch, options, &all),
    };
    print(&text)?;
    if let Some(path) = &options.plot {
        plot::draw(path, options, &all)?;
    }
    Ok(all)
}

/// From now on the sleeps of this thread, and of threads that it starts, end on time and not up to 50 µs late.
fn sleep_exactly() {
    // SAFETY: the call takes numbers. (If it failed, sleeps would be late.)
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong, 0, 0, 0) };
}

/// Prints the report. A reader that closes the pipe early is not an error.
fn print(text: &str) -> Result<(), String> {
    let mut output = std::io::stdout().lock();
    match output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write the report: {error}"))
        }
        _ => Ok(()),
    }
}
