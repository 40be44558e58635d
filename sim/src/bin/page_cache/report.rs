//! The table, the same for machines, and the bar that shortens the wait for it.

use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use seqschedlock_sim::page_cache::PAGE_SIZE;
use serde_json::{Value, json};

use crate::options::{Io, Options};
use crate::workload::{Outcome, Workload};

/// A bar that is full after `total`.
pub fn progress(total: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:16} [{bar:40}] {percent:>3}%  {eta} left")
        .expect("the template is well formed")
        .progress_chars("=> ");
    ProgressBar::new(total.as_millis() as u64).with_style(style)
}

/// One line for each policy, and what it comes to below.
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
        "p50",
        "p99.9",
    ]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for outcome in outcomes {
        let readers = &outcome.readers;
        table.add_row([
            outcome.policy.to_owned()
                + if outcome.cut_short {
                    " (cut short)"
                } else {
                    ""
                },
            short(outcome.per_second(readers.faults)),
            short(outcome.per_second(outcome.direct_writes)),
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
        "{}: {} of {PAGE_SIZE} bytes, read by {}\n\n{table}\n",
        workload.name,
        counted(workload.pages, "page"),
        counted(workload.threads.into(), "thread"),
    );
    for outcome in outcomes {
        let _ = writeln!(text, "{}", verdict(outcome));
    }
    text
}

fn verdict(outcome: &Outcome) -> String {
    let Outcome {
        policy,
        readers,
        orphans,
        io_errors,
        ..
    } = outcome;
    let mut text = match (readers.stale_reads, orphans) {
        (0, 0) => format!("{policy}: none of {} reads was stale.", readers.reads),
        (0, _) => format!(
            "{policy}: {orphans} pages stayed mapped after the cache had forgotten them; \
             none of {} reads happened to be stale.",
            readers.reads
        ),
        (stale, _) => format!(
            "{policy}: {stale} of {} reads were STALE; {orphans} pages stayed mapped after the \
             cache had forgotten them.",
            readers.reads
        ),
    };
    if *io_errors != 0 {
        let _ = write!(text, " {io_errors} I/O errors.");
    }
    text
}

/// The figures under names that stay.
pub fn json(workload: &Workload, options: &Options, outcomes: &[Outcome]) -> Value {
    let (io, io_latency) = match options.io {
        Io::File => ("file", None),
        Io::Memory { latency } => ("memory", Some(latency.as_micros())),
    };
    let policies: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            let readers = &outcome.readers;
            json!({
                "policy": outcome.policy,
                "sound": outcome.sound,
                "seconds": outcome.elapsed.as_secs_f64(),
                "cut_short": outcome.cut_short,
                "faults": readers.faults,
                "faults_per_second": outcome.per_second(readers.faults),
                "write_faults": readers.write_faults,
                "direct_writes": outcome.direct_writes,
                "direct_writes_per_second": outcome.per_second(outcome.direct_writes),
                "retries": readers.conflicts,
                "fallbacks": readers.fallbacks,
                "reads": readers.reads,
                "stale_reads": readers.stale_reads,
                "orphaned_mappings": outcome.orphans,
                "io_errors": outcome.io_errors,
                "fault_p50_ns": readers.latency.value_at_quantile(0.5),
                "fault_p99_9_ns": readers.latency.value_at_quantile(0.999),
                "fault_max_ns": readers.latency.max(),
            })
        })
        .collect();
    json!({
        "format": 1,
        "file": workload.name,
        "pages": workload.pages,
        "page_size": PAGE_SIZE,
        "threads": options.threads,
        "writers": options.writers,
        "hold_us": options.hold.as_micros(),
        "io": io,
        "io_latency_us": io_latency,
        "mix_percent": options.mix,
        "policies": policies,
    })
}

/// One thing, or several.
pub fn counted(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// Three digits or so.
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
