//! The tables, and the same figures for machines.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value, json};

use crate::options::Options;
use crate::output::short;
use crate::system::{Column, Kind, Outcome, System};

/// For each system a table, the meaning of its columns, and a verdict on each version.
pub fn tables(results: &[(System, Vec<Outcome>)]) -> String {
    let shown = results.iter().filter(|(_, outcomes)| !outcomes.is_empty());
    let tables: Vec<_> = shown
        .map(|(system, outcomes)| table(system, outcomes))
        .collect();
    tables.join("\n")
}

fn table(system: &System, outcomes: &[Outcome]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    let headings = system.columns.iter().map(|column| column.heading);
    table.set_header(["version", "operations/s"].into_iter().chain(headings));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for outcome in outcomes {
        let cut_short = if outcome.cut_short {
            " (cut short)"
        } else {
            ""
        };
        let first = [
            format!("{}{cut_short}", outcome.version),
            short(outcome.per_second(outcome.counts.operations)),
        ];
        let rest = system.columns.iter().map(|column| cell(column, outcome));
        table.add_row(first.into_iter().chain(rest));
    }

    let mut text = format!("{}\n\n{table}\n\n", system.title);
    for column in system.columns {
        let _ = writeln!(text, "{:>20}  {}", column.heading, column.meaning);
    }
    text.push('\n');
    for outcome in outcomes {
        let _ = writeln!(text, "{}", verdict(system, outcome));
    }
    text
}

fn cell(column: &Column, outcome: &Outcome) -> String {
    let number = outcome.counts.get(column);
    match column.kind {
        Kind::Rate => short(outcome.per_second(number)),
        Kind::Harmless | Kind::Violation => number.to_string(),
    }
}

fn verdict(system: &System, outcome: &Outcome) -> String {
    let version = &outcome.version;
    match (outcome.held(), outcome.sound) {
        (true, true) => format!("{version}: held, as it should."),
        (true, false) => format!("{version}: its race did not show in this run."),
        (false, sound) => {
            let broken = system
                .columns
                .iter()
                .filter(|column| column.kind == Kind::Violation && outcome.counts.get(column) != 0);
            let what: Vec<_> = broken
                .map(|column| format!("{} {}", outcome.counts.get(column), column.heading))
                .collect();
            let what = what.join(", ");
            match sound {
                true => format!("{version}: BROKEN, and it should hold: {what}."),
                false => format!("{version}: broken, as expected: {what}."),
            }
        }
    }
}

/// The same figures under stable names.
pub fn json(options: &Options, results: &[(System, Vec<Outcome>)]) -> Value {
    let systems: Vec<_> = results
        .iter()
        .map(|(system, outcomes)| {
            let versions: Vec<_> = outcomes
                .iter()
                .map(|outcome| version(system, outcome))
                .collect();
            json!({ "system": system.name, "versions": versions })
        })
        .collect();
    json!({
        "format": 1,
        "seconds": options.seconds,
        "systems": systems,
    })
}

fn version(system: &System, outcome: &Outcome) -> Value {
    let operations = outcome.counts.operations;
    let mut object = Map::new();
    object.insert("version".into(), outcome.version.clone().into());
    object.insert("sound".into(), outcome.sound.into());
    object.insert("held".into(), outcome.held().into());
    object.insert("seconds".into(), outcome.elapsed.as_secs_f64().into());
    object.insert("cut_short".into(), outcome.cut_short.into());
    object.insert("operations".into(), operations.into());
    let per_second = outcome.per_second(operations);
    object.insert("operations_per_second".into(), per_second.into());
    for column in system.columns {
        object.insert(column.key.into(), outcome.counts.get(column).into());
    }
    Value::Object(object)
}
