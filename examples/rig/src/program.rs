//! The program that each example is.

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use crate::table::{self, Compared, Row};
use crate::work::{Comparison, Workload};

/// Fills and invalidates a cache at the same time, the usual way and fenced, and counts stale values.
///
/// A value is stale if it is older than a version whose update had returned before the get began. It was left
/// stale if it still is once all work has ended.
#[derive(Parser)]
#[command(
    after_help = "Exit code: 0 if the fenced caches served nothing stale, 1 if one ever did \
    (or the result could not be written), 2 for bad input, 130 for Ctrl-C, with the table so far."
)]
struct Arguments {
    /// Seconds for each cache, once the usual way and once fenced
    #[arg(long, default_value = "2", value_parser = seconds, allow_negative_numbers = true)]
    seconds: f64,
    /// Threads or tasks that get
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Keys they share
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    keys: u64,
    /// Updates per second, by eight more threads or tasks
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    updates: u32,
    /// Seed for what each does, not for when [default: a new one each time]
    #[arg(long)]
    seed: Option<u64>,
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

/// How many stale values a fenced cache served, for tests: 0, or something is broken.
#[must_use]
pub fn stale_when_fenced(comparison: &Comparison, time: Duration) -> u64 {
    let workload = Workload {
        threads: 16,
        keys: 8,
        updates: 500,
        time,
        seed: fastrand::u64(..),
        progress: false,
        stop: Arc::default(),
    };
    let counted = (comparison.fenced)(&workload, comparison.name);
    counted.stale + counted.left_stale
}

/// Runs the comparisons as the command line says, and prints the results.
#[must_use]
pub fn main(comparisons: &[Comparison]) -> ExitCode {
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
    match run(&arguments, comparisons) {
        Ok(code) => code,
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: the result could not be written: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, comparisons: &[Comparison]) -> io::Result<ExitCode> {
    let workload = Workload {
        threads: arguments.threads,
        keys: arguments.keys,
        updates: arguments.updates,
        time: Duration::from_secs_f64(arguments.seconds),
        seed: arguments.seed.unwrap_or_else(|| fastrand::u64(..)),
        progress: io::stderr().is_terminal(),
        stop: Arc::default(),
    };
    let stop = Arc::clone(&workload.stop);
    ctrlc::set_handler(move || stop.store(true, Ordering::Relaxed))
        .expect("this is the only handler");

    let mut out = io::stdout().lock();
    if !arguments.json {
        let Arguments {
            threads,
            keys,
            updates,
            seconds,
            ..
        } = arguments;
        let seed = workload.seed;
        writeln!(
            out,
            "{threads} threads or tasks, {keys} keys, {updates} updates/s, {seconds} s for each row, seed {seed}\n\n{}",
            table::heading()
        )?;
    }
    let mut caches = Vec::new();
    for comparison in comparisons {
        if workload.stopped() {
            break;
        }
        let compared = compare(comparison, &workload, arguments.json, &mut out)?;
        caches.push(compared);
    }

    let stale = |way: fn(&Compared) -> u64| caches.iter().map(way).sum::<u64>();
    let fenced = stale(|cache| cache.fenced.stale + cache.fenced.left_stale);
    let usual = stale(|cache| cache.usual.stale + cache.usual.left_stale);
    if arguments.json {
        writeln!(out, "{:#}", table::json(&workload, &caches))?;
    } else if workload.stopped() {
        writeln!(
            out,
            "\nInterrupted: the last rows did not run for their full time."
        )?;
    } else if fenced > 0 {
        writeln!(out, "\nThe fenced caches served {fenced} stale values.")?;
    } else if usual == 0 {
        writeln!(
            out,
            "\nThe usual way got away with it this time: give it more seconds or threads."
        )?;
    } else {
        writeln!(
            out,
            "\nThe usual way served {usual} stale values, the fenced caches none. (A fenced get waits while its key \
             is updated;\nthe usual way serves the old value meanwhile. That is the difference in gets/s.)"
        )?;
    }
    Ok(match fenced {
        0 if workload.stopped() => ExitCode::from(130),
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn compare(
    comparison: &Comparison,
    workload: &Workload,
    json: bool,
    out: &mut impl Write,
) -> io::Result<Compared> {
    let name = comparison.name;
    let mut row = |way: &str, measure: fn(&Workload, &str) -> _| {
        let name = format!("{name}, {way}");
        let counted = measure(workload, &name);
        if !json {
            let seconds = workload.time.as_secs_f64();
            writeln!(
                out,
                "{}",
                Row {
                    name: &name,
                    counted: &counted,
                    seconds
                }
            )?;
            out.flush()?;
        }
        io::Result::Ok(counted)
    };
    let usual = row("usual", comparison.usual)?;
    let fenced = row("fenced", comparison.fenced)?;
    let hit = (comparison.hits)(workload);
    if !json {
        writeln!(out, "{hit}")?;
    }
    Ok(Compared {
        name,
        usual,
        fenced,
        hit,
    })
}
