//! The tables, and a progress bar.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};

use super::crew::Tally;
use super::figures::{Figures, Measure, Outcome, Ratio};
use super::options::{Options, PolicyName};
use super::scratch::Scratch;
use super::verdict;

/// A progress bar of this many steps.
pub fn progress(steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:16} [{bar:40}] {percent:>3}%  {eta} left")
        .expect("the template is well formed")
        .progress_chars("=> ");
    ProgressBar::new(steps)
        .with_style(style)
        .with_finish(ProgressFinish::AndClear)
}

/// The policies, two tables for each workload, and the verdict.
pub fn text(scratch: &Scratch, options: &Options, all: &[Figures]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}, read by {}, loaded by {}; {} of {:?} for each policy, in turn\n",
        scratch.name,
        counted(options.readers.into(), "thread"),
        counted(options.handlers.into(), "handler"),
        counted(options.rounds as u64, "round"),
        options.round,
    );
    for policy in options.policies() {
        let _ = writeln!(text, "{:12} {}", policy.name(), policy.explain());
    }
    for figures in all {
        let _ = writeln!(text, "\n{}\n", figures.workload.describe());
        if figures.rounds() < options.rounds {
            let rounds = counted(figures.rounds() as u64, "round");
            let _ = writeln!(text, "(cut short, after {rounds})\n");
        }
        let _ = writeln!(text, "{}", readers(figures));
        if figures.workload.invalidator.is_some() {
            let _ = writeln!(text, "\n{}", invalidator(figures));
        }
    }
    let _ = writeln!(text);
    for sentence in verdict::sentences(all) {
        let _ = writeln!(text, "{sentence}");
    }
    if options.plot.is_none() {
        let _ = writeln!(
            text,
            "(--plot FILE.svg draws this; --help explains the columns.)"
        );
    }
    text
}

/// Stale reads, and the rates and latencies of reads and faults.
fn readers(figures: &Figures) -> Table {
    let header = [
        "policy",
        "stale reads",
        "reads/s",
        "p50, p99.9",
        "faults/s",
        "to Unprotected",
        "p50, p99.9",
    ];
    table(&header, figures, |outcome, total| {
        vec![
            total.stale.to_string(),
            short(total.per_second(total.reads)),
            latencies(&total.read, &[0.5, 0.999]),
            short(total.per_second(total.faults())),
            to_unprotected(figures, Measure::FaultsPerSecond, outcome.policy),
            latencies(&total.fault, &[0.5, 0.999]),
        ]
    })
}

/// The rate and latencies of invalidations, and their cost in loads.
fn invalidator(figures: &Figures) -> Table {
    let header = [
        "policy",
        "invalidations/s",
        "to Unprotected",
        "p50, p99, p99.9",
        "lost loads",
        "turns",
    ];
    table(&header, figures, |outcome, total| {
        vec![
            short(total.per_second(total.invalidations)),
            to_unprotected(figures, Measure::InvalidationsPerSecond, outcome.policy),
            latencies(&total.invalidation, &[0.5, 0.99, 0.999]),
            total.counts.conflicts.to_string(),
            total.counts.turns.to_string(),
        ]
    })
}

fn table(
    header: &[&str],
    figures: &Figures,
    row: impl Fn(&Outcome, &Tally) -> Vec<String>,
) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for outcome in &figures.policies {
        let mut cells = vec![outcome.policy.name().to_owned()];
        cells.extend(row(outcome, &outcome.total));
        table.add_row(cells);
    }
    table
}

fn to_unprotected(figures: &Figures, measure: Measure, policy: PolicyName) -> String {
    figures
        .ratio(measure, policy, PolicyName::Unprotected)
        .map_or_else(|| "-".to_owned(), with_spread)
}

fn latencies(histogram: &Histogram<u64>, quantiles: &[f64]) -> String {
    if histogram.is_empty() {
        return "-".to_owned();
    }
    let latencies: Vec<String> = quantiles
        .iter()
        .map(|quantile| latency(histogram.value_at_quantile(*quantile)))
        .collect();
    latencies.join(", ")
}

/// A median and its spread.
pub fn with_spread(ratio: Ratio) -> String {
    format!(
        "{} [{} .. {}]",
        times(ratio.median),
        times(ratio.lower),
        times(ratio.upper)
    )
}

/// A ratio with two or three digits.
pub fn times(ratio: f64) -> String {
    match ratio {
        0.0..0.1 => format!("{ratio:.3}"),
        100.0.. => format!("{ratio:.0}"),
        10.0.. => format!("{ratio:.1}"),
        _ => format!("{ratio:.2}"),
    }
}

/// A number and a noun, in the plural where needed.
pub fn counted(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// About three digits.
pub fn short(number: f64) -> String {
    match number {
        1e6.. => format!("{:.2} M", number / 1e6),
        1e3.. => format!("{:.1} k", number / 1e3),
        _ => format!("{number:.0}"),
    }
}

pub fn latency(nanoseconds: u64) -> String {
    match nanoseconds {
        0..10_000 => format!("{nanoseconds} ns"),
        10_000..10_000_000 => format!("{} µs", nanoseconds / 1_000),
        _ => format!("{} ms", nanoseconds / 1_000_000),
    }
}
