//! The AIO systems at full speed. Real threads run each version of each system, and the program counts what
//! goes wrong. On Linux it then does the same to the kernel that it runs on.
//!
//! ```text
//! cargo run --release -p seqschedlock-sim --bin aio
//! ```

mod clock;
mod live;
mod options;
mod remap;
mod report;
mod retry;
mod ring;
mod system;
#[path = "../shared/terminal.rs"]
mod terminal;

use std::process::ExitCode;

use clap::Parser as _;

use clock::Clock;
use options::Options;
use system::{Outcome, System};
use terminal::{EXIT_FAILED, EXIT_INTERRUPTED, complain, interrupted};

const PROGRAM: &str = "aio";

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        // `--help` and `--version`.
        Err(help) if !help.use_stderr() => help.exit(),
        Err(error) => return complain(PROGRAM, &terminal::in_one_line(&error)),
    };
    match run(&options) {
        Ok(_) if interrupted() => ExitCode::from(EXIT_INTERRUPTED),
        Ok(Verdict::AsExpected) => ExitCode::SUCCESS,
        Ok(Verdict::SoundVersionFailed) => ExitCode::from(EXIT_FAILED),
        Err(trouble) => complain(PROGRAM, &trouble),
    }
}

enum Verdict {
    AsExpected,
    SoundVersionFailed,
}

fn run(options: &Options) -> Result<Verdict, String> {
    terminal::listen_for_ctrl_c()?;
    let systems = options.systems();
    let versions = systems.iter().map(|system| system.contenders.len()).sum();
    let clock = Clock::new(options.duration(), versions);
    let mut results = Vec::new();
    for system in systems {
        let outcomes = run_system(&system, &clock);
        results.push((system, outcomes));
    }
    clock.finish();

    terminal::print(&match options.json {
        true => format!("{}\n", report::json(options, &results)),
        false => report::tables(&results),
    })?;
    let mut outcomes = results.iter().flat_map(|(_, outcomes)| outcomes);
    Ok(match outcomes.any(Outcome::failed) {
        true => Verdict::SoundVersionFailed,
        false => Verdict::AsExpected,
    })
}

/// Runs all versions of a system in turn, until a Ctrl-C.
fn run_system(system: &System, clock: &Clock) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for contender in &system.contenders {
        if interrupted() {
            break;
        }
        outcomes.push(contender.run(clock));
    }
    outcomes
}
