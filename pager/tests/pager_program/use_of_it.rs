//! Options, reports and exit codes.

use core::time::Duration;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::desk::Desk;
use crate::permitted::permitted;

#[test]
fn bad_input_gets_one_line_and_exit_code_2() {
    let desk = Desk::new();
    desk.complains(None, "--readers 0", "0 is not in 1..=512");
    desk.complains(None, "--readers many", "--readers");
    desk.complains(None, "--handlers 600", "600 is not in 1..=512");
    desk.complains(None, "--rounds 0", "0 is not in 1..=10000");
    desk.complains(None, "--round 250", "needs a unit");
    desk.complains(None, "--round 1ms", "between 10ms and 60s");
    desk.complains(None, "--round soon", "not a time");
    desk.complains(None, "--policy perfect", "rwlock, page-mutex, gate, closed");
    desk.complains(None, "--workload z", "a, b, b1, c, d, e");
    desk.complains(None, "--no-such-option", "--no-such-option");
    desk.complains(None, "one two", "two");

    if !permitted("bad_input_gets_one_line_and_exit_code_2") {
        return;
    }
    desk.complains(Some(&desk.path("missing")), "", "No such file");
    desk.complains(Some(Path::new(".")), "", "is a directory");
    desk.complains(Some(&desk.file("empty", b"")), "", "is empty");
    desk.complains(Some(Path::new("/dev/zero")), "", "not a regular file");
    desk.complains(
        None,
        "--plot missing/plot.svg",
        "cannot write missing/plot.svg",
    );
    let mut command = desk.command(None, "--rounds 1");
    command.env("TMPDIR", "/no/such/folder");
    let output = desk.finish(desk.start(command));
    desk.complained(&output, "cannot make a file in /no/such/folder");
}

#[test]
fn the_file_is_not_changed_and_nothing_is_left() {
    if !permitted("the_file_is_not_changed_and_nothing_is_left") {
        return;
    }
    let desk = Desk::new();
    let bytes: Vec<u8> = (0..30_001u32).map(|number| number as u8).collect();
    let file = desk.file("file", &bytes);
    let options = "--rounds 1 --round 50ms --workload d,a --policy gate,unprotected";
    let output = desk.run(Some(&file), options);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(fs::read(&file).unwrap(), bytes);
    desk.nothing_is_left_in_the_temp_folder();

    let report = output.stdout;
    let line = |start: &str| report.lines().position(|line| line.starts_with(start));
    assert!(report.starts_with(file.to_str().unwrap()), "{report}");
    assert!(
        line("a: single pages") < line("d: four hot pages"),
        "{report}"
    );
    assert!(
        line("| Unprotected") < line("| Gate"),
        "the usual order: {report}"
    );
    for left_out in ["RwLock", "PageMutex", "Closed"] {
        assert!(line(&format!("| {left_out}")).is_none(), "{report}");
    }
}

#[test]
fn json_has_the_figures_under_stable_names() {
    if !permitted("json_has_the_figures_under_stable_names") {
        return;
    }
    let desk = Desk::new();
    let options = "--rounds 2 --round 50ms --workload b,c --readers 2 --handlers 3 --json";
    let output = desk.run(None, options);
    assert!(output.status.success(), "{}", output.stderr);
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(report["format"], 1);
    assert_eq!(
        (&report["readers"], &report["handlers"]),
        (&2.into(), &3.into())
    );
    assert_eq!(
        (&report["rounds"], &report["round_ms"]),
        (&2.into(), &50.into())
    );
    let [b, c] = report["workloads"].as_array().unwrap().as_slice() else {
        panic!("two workloads: {report}");
    };
    assert_eq!((&b["workload"], &c["workload"]), (&"b".into(), &"c".into()));
    assert_eq!(b["pages"], 1024);
    assert_eq!(b["invalidator"]["range"], 16);
    assert_eq!(c["invalidator"], Value::Null);
    for (workload, invalidated) in [(b, true), (c, false)] {
        assert_eq!(workload["cut_short"], false);
        let policies = workload["policies"].as_array().unwrap();
        assert_eq!(policies.len(), 5);
        for policy in policies {
            assert!(
                policy["reads"].as_u64() >= policy["faults"].as_u64(),
                "{policy}"
            );
            assert!(policy["faults"].as_u64().unwrap() > 0, "{policy}");
            assert!(policy["fault_p50_ns"].as_u64() <= policy["fault_p99_9_ns"].as_u64());
            assert_eq!(
                policy["invalidation_p99_ns"].is_u64(),
                invalidated,
                "{policy}"
            );
            let spread = &policy["faults_to_unprotected"];
            assert!(spread["lower"].as_f64() <= spread["median"].as_f64());
            assert!(spread["median"].as_f64() <= spread["upper"].as_f64());
        }
        let unprotected = &policies[0]["faults_to_unprotected"];
        assert_eq!(unprotected["median"], 1.0, "to itself");
    }
}

#[test]
fn the_plot_has_a_row_for_each_policy_and_a_head_for_each_workload() {
    if !permitted("the_plot_has_a_row_for_each_policy_and_a_head_for_each_workload") {
        return;
    }
    let desk = Desk::new();
    let options =
        "--rounds 1 --round 20ms --workload d,c --policy closed,page-mutex --plot plot.svg";
    let output = desk.run(None, options);
    assert!(output.status.success(), "{}", output.stderr);
    let plot = fs::read_to_string(desk.path("plot.svg")).unwrap();
    assert!(plot.starts_with("<svg") && plot.trim_end().ends_with("</svg>"));
    for name in ["Closed", "PageMutex", "d: four hot pages", "c: no changes"] {
        assert!(plot.contains(name), "{name}");
    }
    assert!(!plot.contains("Gate"));
}

#[test]
fn ctrl_c_ends_the_run_with_the_tables_so_far() {
    if !permitted("ctrl_c_ends_the_run_with_the_tables_so_far") {
        return;
    }
    let desk = Desk::new();
    let options = "--rounds 10000 --round 50ms --workload b1,d --policy rwlock,gate";
    let running = desk.start(desk.command(None, options));
    // Late enough for some rounds to be over.
    thread::sleep(Duration::from_secs(2));
    let id = running.id().to_string();
    let killed = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(killed.success());
    let output = desk.finish(running);
    assert_eq!(output.status.code(), Some(130));
    assert!(
        output.stdout.contains("cut short, after"),
        "{}",
        output.stdout
    );
    assert!(!output.stdout.contains("d: four"), "{}", output.stdout);
    desk.nothing_is_left_in_the_temp_folder();
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    if !permitted("a_closed_pipe_is_not_an_error") {
        return;
    }
    let desk = Desk::new();
    let mut command = desk.command(None, "--rounds 1 --round 20ms --workload c");
    let mut running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(running.stdout.take());
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn help_explains_policies_workloads_and_columns() {
    let output = Desk::new().run(None, "--help");
    assert!(output.status.success());
    for word in [
        "stale read",
        "page-mutex",
        "b1",
        "lost loads",
        "turns",
        "Exit codes",
        "--plot",
    ] {
        assert!(output.stdout.contains(word), "{word}");
    }
}
