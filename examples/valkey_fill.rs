//! A cache that many processes share, on a Valkey or Redis server, fenced: the same protocol, as one Lua script.
//!
//! Several processes fill the cache and update the database behind it, on a real server that this program starts and
//! ends. Every value that is served is checked while things go wrong: writers are killed, or stopped beyond their
//! lease, the server is restarted empty, all keys are flushed. The usual way (change, then delete the entry) runs
//! beside it, and so does the fence without its remedy for each fault.
//!
//! `valkey_fill/fence.lua` is the fence, `valkey_fill/fence.rs` its client, `valkey_fill/users.rs` a cache with it.
//!
//! ```text
//! cargo run --release --example valkey_fill
//! ```
//!
//! # What it promises, and what no such fence can
//!
//! An entry that is served was loaded while no update that the fence knew of was running, and none has begun since. The
//! fence cannot know of every update. A writer may check its lease and then pause for longer than it lasts; a server
//! may lose its data, or fail over to a replica that has not heard of a section. Then other processes fill the cache
//! and are served what the late writer replaces, until it leaves its section, or at most for as long as an entry lives.
//! The database has to help against that. Each row has a lock number. A writer commits only if the number is what it
//! was before its section, and a reader that fills after a section was given up changes the number first. Then nothing
//! is served that the database has replaced.
//!
//! What it needs: entries with a TTL; a server that does not evict the fences (`maxmemory-policy noeviction`, or one of
//! `volatile-*`: a fence with writers does not expire); a lease much longer than an update takes.

#[path = "valkey_fill/faults.rs"]
mod faults;
#[path = "valkey_fill/fence.rs"]
mod fence;
#[path = "valkey_fill/process.rs"]
mod process;
#[path = "valkey_fill/server.rs"]
mod server;
#[path = "valkey_fill/shared.rs"]
mod shared;
#[cfg(test)]
#[path = "valkey_fill/tests.rs"]
mod tests;
#[path = "valkey_fill/users.rs"]
mod users;

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use serde_json::json;

use faults::{Case, Outcome};
use server::Server;

/// Set by Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Fills and updates a cache on a Valkey or Redis server from several processes, and counts stale values.
///
/// A value is stale if it is older than a version whose update had returned before the get began. It is behind if it
/// is older than what the database had by then, whether or not the update had returned.
#[derive(Parser)]
#[command(
    after_help = "Exit code: 0 if the fence held with all its remedies, 1 if it served anything that was stale \
    or behind (or something else went wrong), 2 for bad input, 130 for Ctrl-C, with the table so far. Without a server \
    it says so and exits with 0."
)]
struct Arguments {
    /// Seconds for each row
    #[arg(long, default_value = "2", value_parser = seconds, allow_negative_numbers = true)]
    seconds: f64,
    /// Exit with 1 if there is no server
    #[arg(long)]
    strict: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.01..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("must be a number of seconds from 0.01 to 3600".into()),
    }
}

fn main() -> ExitCode {
    if process::work_if_told().is_some() {
        return ExitCode::SUCCESS;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help goes to standard output in full; an error is one line.
        Err(asked_for_help) if !asked_for_help.use_stderr() => asked_for_help.exit(),
        Err(mistake) => {
            let text = mistake.to_string();
            eprintln!("{}", text.lines().next().unwrap_or_default());
            return ExitCode::from(2);
        }
    };
    let Some(program) = server::find() else {
        eprintln!("skipped: neither valkey-server nor redis-server is installed");
        return ExitCode::from(u8::from(arguments.strict));
    };
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed))
        .expect("this is the only handler");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be started");
    match runtime.block_on(run(&arguments, program)) {
        Ok(code) => code,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

async fn run(arguments: &Arguments, program: std::path::PathBuf) -> io::Result<ExitCode> {
    let mut out = io::stdout();
    let mut server = Server::start(program).await?;
    if !arguments.json {
        writeln!(out, "{}", Outcome::heading())?;
    }
    let mut outcomes = Vec::new();
    for case in faults::cases() {
        let time = Duration::from_secs_f64(arguments.seconds);
        let outcome = faults::run(&mut server, case, time).await;
        if interrupted() {
            break;
        }
        let outcome = outcome?;
        if !arguments.json {
            writeln!(out, "{outcome}")?;
        }
        outcomes.push(outcome);
    }

    let held = |outcome: &&Outcome| outcome.stale == 0 && outcome.behind == 0;
    let must_hold = || {
        outcomes
            .iter()
            .filter(|outcome| Case::must_hold(&outcome.case))
    };
    let failed = must_hold().filter(|outcome| !held(outcome)).count();
    if arguments.json {
        let outcomes: Vec<_> = outcomes.iter().map(Outcome::json).collect();
        let result = json!({ "interrupted": interrupted(), "cases": outcomes });
        writeln!(out, "{result:#}")?;
    } else if interrupted() {
        writeln!(out, "\nInterrupted.")?;
    } else {
        let held = must_hold().count() - failed;
        writeln!(out, "\nFenced: {held} held, {failed} did not.")?;
    }
    Ok(match failed {
        0 if interrupted() => ExitCode::from(130),
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
