//! Every workload has the race: `Unprotected` serves stale pages in it, and `Gate` and `Closed` meet conflicts.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::desk::Desk;
use crate::permitted::permitted;

/// Runs the workload until the race has shown. No sound policy may serve a stale page meanwhile.
fn has_the_race(workload: &str) {
    if !permitted(&format!("the workload {workload}")) {
        return;
    }
    let desk = Desk::new();
    let began = Instant::now();
    let (mut stale, mut lost) = (0, [0, 0]);
    while stale == 0 || lost.contains(&0) {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "no race in a minute: {stale} stale pages unprotected, {lost:?} lost loads"
        );
        let options = format!("--rounds 1 --workload {workload} --json");
        let output = desk.run(None, &options);
        assert!(
            output.status.success(),
            "{}{}",
            output.stdout,
            output.stderr
        );
        let report: Value = serde_json::from_str(&output.stdout).unwrap();
        let policies = report["workloads"][0]["policies"].as_array().unwrap();
        let of = |name: &str, what: &str| {
            let policy = policies.iter().find(|policy| policy["policy"] == name);
            policy.unwrap()[what].as_u64().unwrap()
        };
        for policy in policies.iter().filter(|policy| policy["sound"] == true) {
            assert_eq!(policy["stale_reads"], 0, "{policy}");
            assert!(policy["invalidations"].as_u64().unwrap() > 0, "{policy}");
        }
        stale += of("Unprotected", "stale_reads");
        lost[0] += of("Gate", "lost_loads");
        lost[1] += of("Closed", "lost_loads");
    }
}

#[test]
fn single_pages_that_change_all_the_time_have_the_race() {
    has_the_race("a");
}

#[test]
fn ranges_have_the_race() {
    has_the_race("b");
}

#[test]
fn ranges_without_a_pause_have_the_race() {
    has_the_race("b1");
}

#[test]
fn hot_pages_have_the_race() {
    has_the_race("d");
}

#[test]
fn slow_loads_have_the_race() {
    has_the_race("e");
}
