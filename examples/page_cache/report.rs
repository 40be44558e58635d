//! The table, and the bar that shortens the wait for it.

use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};

use crate::workload::{Outcome, Workload};

/// A bar that is full after `total`.
pub fn progress(total: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:16} [{bar:40}] {percent:>3}%  {eta} left")
        .expect("the template is well formed")
        .progress_chars("=> ");
    ProgressBar::new(total.as_millis() as u64).with_style(style)
}

/// One line for each policy, and what it means below.
pub fn table(workload: &Workload, outcomes: &[Outcome]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header([
        "policy",
        "faults/s",
        "direct writes/s",
        "retries",
        "fallbacks",
        "stale reads",
        "orphaned mappings",
        "fault p50",
        "fault p99.9",
    ]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for outcome in outcomes {
        let seconds = outcome.elapsed.as_secs_f64();
        let readers = &outcome.readers;
        table.add_row([
            outcome.policy.to_owned()
                + if outcome.cut_short {
                    " (cut short)"
                } else {
                    ""
                },
            format!("{:.0}", readers.faults as f64 / seconds),
            format!("{:.0}", outcome.direct_writes as f64 / seconds),
            readers.conflicts.to_string(),
            readers.fallbacks.to_string(),
            readers.stale_reads.to_string(),
            outcome.orphans.to_string(),
            latency(readers.latency.value_at_quantile(0.5)),
            latency(readers.latency.value_at_quantile(0.999)),
        ]);
    }

    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}, {} pages of 4096 bytes, {} threads\n\n{table}\n",
        workload.copy.name, workload.copy.pages, workload.threads,
    );
    for outcome in outcomes {
        let policy = outcome.policy;
        let _ = match (outcome.readers.stale_reads, outcome.orphans) {
            (0, 0) => writeln!(
                text,
                "{policy}: no stale read in {}.",
                outcome.readers.reads
            ),
            (stale, orphans) => writeln!(
                text,
                "{policy}: {stale} of {} reads returned bytes that had been replaced; \
                 {orphans} mappings were left on pages that had left the cache.",
                outcome.readers.reads
            ),
        };
        if outcome.io_errors != 0 {
            let _ = writeln!(text, "{policy}: {} I/O errors.", outcome.io_errors);
        }
    }
    text
}

fn latency(nanoseconds: u64) -> String {
    match nanoseconds {
        0..10_000 => format!("{nanoseconds} ns"),
        10_000..10_000_000 => format!("{} µs", nanoseconds / 1_000),
        _ => format!("{} ms", nanoseconds / 1_000_000),
    }
}
