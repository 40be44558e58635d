//! The tables, and the same figures for machines.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value, json};

use crate::options::Options;
use crate::system::{Column, Kind, Outcome, System};
use crate::terminal::short;

/// For each system a table, the meaning of its columns, and a verdict on each version.
pub fn tables(results: &[(System, Vec<Outcome>)]) -> String {
    let mut tables = Vec::new();
    let mut explained = String::new();
    for (system, outcomes) in results.iter().filter(|(_, outcomes)| !outcomes.is_empty()) {
        let mut text = format!("{}\n\n", system.title);
        if outcomes.iter().any(|outcome| outcome.skipped.is_none()) {
            let _ = writeln!(text, "{}\n", rows(system, outcomes));
            let meanings = meanings(system);
            text.push_str(match meanings == explained {
                true => "The columns are those of the table above.\n",
                false => &meanings,
            });
            text.push('\n');
            explained = meanings;
        }
        for outcome in outcomes {
            let _ = writeln!(text, "{}", verdict(system, outcome));
        }
        tables.push(text);
    }
    tables.join("\n")
}

fn meanings(system: &System) -> String {
    let columns = system.columns.iter();
    let lines = columns.map(|column| format!("{:>20}  {}\n", column.heading, column.meaning));
    lines.collect()
}

/// Of the versions that could run.
fn rows(system: &System, outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    let headings = system.columns.iter().map(|column| column.heading);
    table.set_header(["version"].into_iter().chain(headings));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let ran = |outcome: &&Outcome| outcome.skipped.is_none();
    for outcome in outcomes.iter().filter(ran) {
        let cut_short = if outcome.cut_short {
            " (cut short)"
        } else {
            ""
        };
        let version = format!("{}{cut_short}", outcome.version);
        let rest = system.columns.iter().map(|column| cell(column, outcome));
        table.add_row([version].into_iter().chain(rest));
    }
    table
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
    if let Some(why) = &outcome.skipped {
        return format!("{version}: SKIPPED: {why}.");
    }
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
    if let Some(why) = &outcome.skipped {
        return json!({ "version": outcome.version, "skipped": why });
    }
    let mut object = Map::new();
    object.insert("version".into(), outcome.version.clone().into());
    object.insert("sound".into(), outcome.sound.into());
    object.insert("held".into(), outcome.held().into());
    object.insert("seconds".into(), outcome.elapsed.as_secs_f64().into());
    object.insert("cut_short".into(), outcome.cut_short.into());
    for column in system.columns {
        let count = outcome.counts.get(column);
        object.insert(column.key.into(), count.into());
        if column.kind == Kind::Rate {
            let key = format!("{}_per_second", column.key);
            object.insert(key, outcome.per_second(count).into());
        }
    }
    Value::Object(object)
}
