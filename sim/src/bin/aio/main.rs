//! The AIO systems at full speed. Real threads run each version of each system, and the program counts what
//! goes wrong.
//!
//! ```text
//! cargo run --release -p seqschedlock-sim --bin aio
//! ```

mod clock;
mod options;
mod output;
mod report;
mod retry;
mod ring;
mod system;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use clap::Parser as _;

use clock::Clock;
use options::Options;
use system::{Outcome, System};

/// Set by Ctrl-C: stop, and show what there is.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A version that is meant to hold did not.
const EXIT_BROKEN: u8 = 1;
/// Bad input.
const EXIT_USAGE: u8 = 2;
/// What a shell reports for a program that Ctrl-C has ended.
const EXIT_INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        // `--help` goes to the standard output and has more than one line.
        Err(help) if !help.use_stderr() => help.exit(),
        Err(error) => return complain(&output::first_line(&error)),
    };
    match run(&options) {
        Ok(_) if INTERRUPTED.load(Relaxed) => ExitCode::from(EXIT_INTERRUPTED),
        Ok(Verdict::AsExpected) => ExitCode::SUCCESS,
        Ok(Verdict::SoundVersionFailed) => ExitCode::from(EXIT_BROKEN),
        Err(trouble) => complain(&trouble),
    }
}

fn complain(trouble: &str) -> ExitCode {
    eprintln!("aio: {trouble}");
    ExitCode::from(EXIT_USAGE)
}

enum Verdict {
    AsExpected,
    SoundVersionFailed,
}

fn run(options: &Options) -> Result<Verdict, String> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Relaxed))
        .map_err(|error| format!("cannot listen for Ctrl-C: {error}"))?;

    let systems = options.systems();
    let versions: usize = systems.iter().map(|system| system.contenders.len()).sum();
    let clock = Clock::new(options.duration(), versions as u32, &INTERRUPTED);
    let mut results = Vec::new();
    for system in systems {
        let outcomes = run_system(&system, &clock);
        results.push((system, outcomes));
    }
    clock.finish();

    let report = match options.json {
        true => format!("{}\n", report::json(options, &results)),
        false => report::tables(&results),
    };
    output::print(&report)?;
    let failed = results.iter().flat_map(|(_, outcomes)| outcomes);
    Ok(match failed.into_iter().any(Outcome::failed) {
        true => Verdict::SoundVersionFailed,
        false => Verdict::AsExpected,
    })
}

/// Runs all versions of a system in turn, until a Ctrl-C.
fn run_system(system: &System, clock: &Clock) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for contender in &system.contenders {
        if clock.is_interrupted() {
            break;
        }
        outcomes.push(contender.run(clock));
    }
    outcomes
}
