//! The program `aio`, as a user meets it: what it prints, how it ends.
//!
//! Where the kernel of this machine has no AIO for us, the program says so, and these tests accept that.
//! `AIO_LIVE=require` makes it a failure.
#![cfg(all(unix, not(loom)))]

use std::env;
use std::process::{Command, Output, Stdio};
use std::thread;

use core::time::Duration;

use serde_json::Value;

fn command(options: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aio"));
    command.args(options.split_whitespace());
    command
}

fn run(options: &str) -> Output {
    command(options).output().unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Whether the kernel of this machine took part, if `skipped` is why it did not.
fn is_live(skipped: Option<&str>) -> bool {
    let Some(why) = skipped else {
        return true;
    };
    let required = env::var("AIO_LIVE").is_ok_and(|value| value == "require");
    assert!(!required, "AIO_LIVE=require, but {why}");
    assert!(!why.is_empty());
    false
}

#[test]
fn bad_input_gets_one_line_and_exit_code_2() {
    for (options, about) in [
        ("--seconds 0", "between 0.01 and 86400"),
        ("--seconds -1", "between 0.01 and 86400"),
        ("--seconds nan", "between 0.01 and 86400"),
        ("--seconds soon", "not a number"),
        ("--only perfect", "perfect"),
        ("--only", "--only"),
        ("--no-such-option", "--no-such-option"),
        ("file", "file"),
    ] {
        let output = run(options);
        let errors = text(output.stderr);
        assert_eq!(output.status.code(), Some(2), "{options}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{options}: {errors}");
        assert!(
            errors.starts_with("aio: ") && errors.contains(about),
            "{options}: {errors}"
        );
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn each_system_has_a_table_with_its_versions_oldest_first() {
    let output = run("--seconds 0.05");
    let tables = text(output.stdout);
    assert_eq!(output.status.code(), Some(0), "{tables}");
    let rows: Vec<&str> = tables
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line[2..].split(" |").next().unwrap().trim_end())
        .collect();
    let mut expected = vec![
        "version",
        "2013",
        "v1",
        "v2",
        "seed",
        "seed + tryget",
        "merged",
        "Commit",
        "seed, no page lock",
        "merged, no completion_lock",
        "version",
        "2005, looks once",
        "2005, looks twice",
        "only the kick, looks once",
        "only the kick, looks twice",
        "only the deletion, looks once",
        "only the deletion, looks twice",
        "Suzuki, looks once",
        "Suzuki, looks twice",
        "2.6.14, looks once",
        "2.6.14, looks twice",
        "Suzuki, context destroyed",
        "version",
        "no hook",
        "2014",
        "2015",
        "2023",
        "2026",
        "Commit",
    ];
    let mut lines = tables.lines();
    let skipped = lines.find_map(|line| line.strip_prefix("this kernel: SKIPPED: "));
    if is_live(skipped) {
        expected.extend(["version", "this kernel"]);
    }
    assert_eq!(rows, expected, "{tables}");
}

#[test]
fn only_the_systems_that_were_asked_for_run() {
    for (options, expected) in [
        ("--only ring", vec!["ring"]),
        ("--only retry", vec!["retry"]),
        ("--only remap", vec!["remap"]),
        ("--only live", vec!["live"]),
        ("--only remap,retry,ring", vec!["ring", "retry", "remap"]),
    ] {
        let report = json(&format!("{options} --seconds 0.01 --json"));
        let systems = report["systems"].as_array().unwrap().iter();
        let names: Vec<_> = systems.map(|system| system["system"].as_str()).collect();
        let expected: Vec<_> = expected.into_iter().map(Some).collect();
        assert_eq!(names, expected, "{options}");
    }
}

fn json(options: &str) -> Value {
    let output = run(options);
    assert_eq!(output.status.code(), Some(0), "{options}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The figures that must be zero for a version that is meant to hold.
const VIOLATIONS: [(&str, &[&str]); 4] = [
    (
        "ring",
        &[
            "events_lost",
            "events_doubled",
            "heads_lost",
            "tails_lost",
            "ids_lost",
            "freed_pages_touched",
            "freed_contexts_touched",
            "put_twice",
            "deadlocks",
            "other",
        ],
    ),
    (
        "retry",
        &[
            "retries_lost",
            "retries_doubled",
            "retries_too_early",
            "freed_requests_touched",
            "freed_contexts_touched",
            "other",
        ],
    ),
    ("remap", REMAP_VIOLATIONS),
    ("live", REMAP_VIOLATIONS),
];

const REMAP_VIOLATIONS: &[&str] = &[
    "innocents_unmapped",
    "rings_left",
    "user_ids_wrong",
    "both_errors",
    "other",
];

#[test]
fn json_has_the_same_figures_under_stable_names() {
    let report = json("--seconds 0.2 --json");
    assert_eq!(report["format"], 1);
    assert_eq!(report["seconds"], 0.2);
    let systems = report["systems"].as_array().unwrap();
    assert_eq!(systems.len(), VIOLATIONS.len());
    for (system, (name, violations)) in systems.iter().zip(VIOLATIONS) {
        assert_eq!(system["system"], name);
        let versions = system["versions"].as_array().unwrap();
        for version in versions {
            if name == "live" && !is_live(version["skipped"].as_str()) {
                continue;
            }
            assert!(version["operations"].as_u64().unwrap() > 0, "{version}");
            assert!(version["operations_per_second"].as_f64().unwrap() > 0.0);
            assert!(version["seconds"].as_f64().unwrap() > 0.0);
            assert_eq!(version["cut_short"], false);
            let wrong: u64 = violations
                .iter()
                .map(|violation| version[violation].as_u64().unwrap())
                .sum();
            assert_eq!(version["held"], wrong == 0, "{version}");
            if version["sound"] == true {
                assert_eq!(wrong, 0, "{version}");
            }
        }
        let sound = versions.iter().filter(|version| version["sound"] == true);
        assert!(name == "live" || sound.count() >= 3);
    }
}

#[test]
fn the_tables_explain_their_columns_and_give_verdicts() {
    let tables = text(run("--seconds 0.02").stdout);
    for expected in [
        "events lost  events that were completed and never read",
        "freed requests  requests that were used after they had been freed",
        "merged: held, as it should.",
        "Commit: held, as it should.",
        "Suzuki, looks once: held, as it should.",
        "innocents unmapped  pages of somebody else",
        "2015: held, as it should.",
    ] {
        assert!(tables.contains(expected), "{expected} is not in {tables}");
    }
}

#[test]
fn ctrl_c_ends_the_run_with_the_tables_so_far() {
    let running = command("--seconds 600 --only ring")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It ends the run however early it comes. By then there should be something to show.
    thread::sleep(Duration::from_secs(2));
    let id = running.id().to_string();
    let kill = Command::new("kill").args(["-INT", &id]).status();
    assert!(kill.unwrap().success());
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let table = text(output.stdout);
    assert!(table.contains("| 2013 (cut short)"), "{table}");
    assert!(!table.contains("| v1"), "{table}");
}

#[test]
fn a_closed_output_is_not_an_error() {
    let mut running = command("--seconds 0.01 --only ring")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(running.stdout.take());
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(output.stderr), "");
}

#[test]
fn help_explains_what_is_counted_and_the_exit_codes() {
    let output = run("--help");
    assert!(output.status.success());
    let help = text(output.stdout);
    for word in [
        "races",
        "--only",
        "--seconds",
        "--json",
        "Exit codes",
        "proves nothing",
    ] {
        assert!(help.contains(word), "{word}");
    }
}
