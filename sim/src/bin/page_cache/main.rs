//! A page cache under fire: some threads read a file through mappings while others rewrite it past
//! the cache, and every read of bytes that had already been replaced is counted. Six ways to
//! prevent that take turns, and the report shows what each of them costs readers and writers.
//!
//! ```text
//! cargo run --release -p seqschedlock-sim -- FILE
//! ```
//!
//! `FILE` is never changed: a copy is used, in an unnamed file that is gone when this ends.

mod copy;
mod crew;
#[path = "../../../../benches/bench/drawing.rs"]
mod drawing;
mod json;
#[path = "../shared/memory.rs"]
mod memory;
mod options;
mod outcome;
mod plot;
mod policies;
mod report;
mod round;
mod spread;
#[path = "../shared/terminal.rs"]
mod terminal;
mod verdict;
mod workload;

use std::process::ExitCode;

use clap::Parser as _;
use indicatif::ProgressBar;

use options::Options;
use outcome::Outcome;
use policies::PolicyName;
use terminal::{EXIT_FAILED, EXIT_INTERRUPTED, complain, interrupted};
use workload::Workload;

const PROGRAM: &str = "page_cache";

#[global_allocator]
static ALLOCATOR: memory::SaysWhenEmpty = memory::SaysWhenEmpty(PROGRAM);

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
        Ok(Verdict::SoundPolicyFailed) => ExitCode::from(EXIT_FAILED),
        Err(trouble) => complain(PROGRAM, &trouble),
    }
}

enum Verdict {
    AsExpected,
    SoundPolicyFailed,
}

fn run(options: &Options) -> Result<Verdict, String> {
    terminal::listen_for_ctrl_c()?;
    if let Some(path) = &options.plot {
        plot::try_path(path)?;
    }
    let Some(copy) = copy::prepare(options.file.as_deref())? else {
        return Ok(Verdict::AsExpected); // interrupted while there was nothing to show yet
    };
    let policies = options.policies();
    let workload = Workload::new(copy, options)?;
    let bar = terminal::progress(options.duration() * policies.len() as u32);
    let outcomes = measure(&workload, &policies, &bar);
    bar.finish_and_clear();
    let outcomes = outcomes?;

    terminal::print(&match options.json {
        true => format!("{}\n", json::json(&workload, options, &outcomes)),
        false => report::table(&workload, &outcomes, options.plot.is_none()),
    })?;
    if let Some(path) = &options.plot {
        plot::draw(path, &workload, &outcomes)?;
    }
    let failed = |outcome: &Outcome| outcome.policy.is_sound() && !outcome.total.is_fresh();
    Ok(match outcomes.iter().any(failed) {
        true => Verdict::SoundPolicyFailed,
        false => Verdict::AsExpected,
    })
}

/// All rounds, the policies in turn; fewer if Ctrl-C comes.
fn measure(
    workload: &Workload,
    policies: &[PolicyName],
    bar: &ProgressBar,
) -> Result<Vec<Outcome>, String> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    for round in 1..=workload.rounds {
        for (nth, &policy) in policies.iter().enumerate() {
            if interrupted() {
                return Ok(outcomes);
            }
            let rounds = workload.rounds;
            bar.set_message(format!("round {round} of {rounds}: {}", policy.name()));
            let figures = policy.round(workload, round, bar)?;
            if outcomes.len() == nth {
                outcomes.push(Outcome::new(policy));
            }
            outcomes[nth].add(&figures);
        }
    }
    Ok(outcomes)
}
