//! The table.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use seqschedlock_sim::page_cache::PAGE_SIZE;

use crate::outcome::{Latency, Outcome};
use crate::terminal::{counted, latency, short};
use crate::verdict::verdict;
use crate::workload::Workload;

/// What was done, a row for each policy, what each of them is, and the verdict.
pub fn table(workload: &Workload, outcomes: &[Outcome], hint: bool) -> String {
    let mut text = format!("{}\n\n{}\n\n", setting(workload), rows(outcomes));
    for Outcome { policy, .. } in outcomes {
        let (name, what, how) = (policy.name(), policy.in_short(), policy.in_plain_words());
        let _ = writeln!(text, "{name:<16} = {what}: {how}");
    }
    for sentence in verdict(outcomes, workload.wanted()) {
        let _ = writeln!(text, "\n{}", wrapped(&sentence));
    }
    if hint {
        let _ = writeln!(
            text,
            "\n--plot FILE.svg draws this; --help explains the columns."
        );
    }
    text
}

fn setting(workload: &Workload) -> String {
    let pages = counted(workload.blocks.pages, "page");
    let readers = counted(workload.threads.into(), "thread");
    let mut text = format!(
        "{}: {pages} of {PAGE_SIZE} bytes, read by {readers}.\n",
        workload.name
    );
    let writers = counted(workload.writers.into(), "writer");
    let range = counted(workload.blocks.range, "page");
    let _ = match (workload.wanted(), workload.every) {
        _ if workload.writers == 0 => write!(text, "No writers."),
        (None, _) => write!(text, "{writers}: each rewrites {range}, again and again."),
        (Some(wanted), every) => write!(
            text,
            "{writers}: each rewrites {range} every {every:?}, {} direct writes/s in all if nothing \
             holds them up.",
            short(wanted)
        ),
    };
    let _ = write!(
        text,
        "\n{} of {:?} for each policy, in turn.",
        counted(workload.rounds.into(), "round"),
        workload.duration
    );
    text
}

fn rows(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header([
        "policy",
        "faults/s",
        "fault p50, p99.9",
        "direct writes/s",
        "write p50, p99.9",
        "stale reads",
        "orphans",
    ]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for outcome in outcomes {
        let total = &outcome.total;
        let name = outcome.policy.name();
        table.add_row([
            match total.cut_short {
                true => format!("{name} (cut short)"),
                false => name.to_owned(),
            },
            rate(
                total.rates().faults,
                outcome.give_or_take(|rates| rates.faults),
            ),
            quantiles(&total.faults.latency),
            rate(
                total.rates().writes,
                outcome.give_or_take(|rates| rates.writes),
            ),
            quantiles(&total.writes.latency),
            total.faults.stale_reads.to_string(),
            total.orphans.to_string(),
        ]);
    }
    table
}

fn rate(rate: f64, give_or_take: Option<f64>) -> String {
    match give_or_take {
        Some(part) => format!("{} ±{:>3.0}%", short(rate), 100.0 * part),
        None => short(rate),
    }
}

fn quantiles(of: &Latency) -> String {
    match of.is_empty() {
        true => "-".to_owned(),
        false => format!("{}, {:>7}", latency(of.p50()), latency(of.p99_9())),
    }
}

/// Wrapped between words, so that a terminal need not break inside one.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 110;
    let mut wrapped = String::new();
    let mut width = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if width + 1 + length > WIDTH {
            wrapped.push('\n');
            width = 0;
        } else if width > 0 {
            wrapped.push(' ');
            width += 1;
        }
        wrapped.push_str(word);
        width += length;
    }
    wrapped
}
