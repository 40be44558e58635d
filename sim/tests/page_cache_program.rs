//! The program `page_cache`, as a user meets it: what it prints, what it leaves behind, how it ends.
#![cfg(all(unix, not(loom)))]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use core::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// A temp folder of the program's own, and a file beside it.
struct Desk {
    temp: TempDir,
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Desk {
            temp: TempDir::new().unwrap(),
            folder: TempDir::new().unwrap(),
        }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        path
    }

    fn command(&self, file: Option<&Path>, options: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_page_cache"));
        command.args(file).args(options.split_whitespace());
        command.env("TMPDIR", self.temp.path());
        command.current_dir(self.folder.path());
        command
    }

    fn run(&self, file: Option<&Path>, options: &str) -> Output {
        self.command(file, options).output().unwrap()
    }

    fn nothing_is_left_in_the_temp_folder(&self) {
        assert_eq!(fs::read_dir(self.temp.path()).unwrap().count(), 0);
    }

    /// One line that says what is wrong, and exit code 2.
    fn complains(&self, file: Option<&Path>, options: &str, about: &str) {
        let output = self.run(file, options);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(
            errors.starts_with("page_cache: ") && errors.contains(about),
            "{errors}"
        );
        assert!(output.stdout.is_empty());
        self.nothing_is_left_in_the_temp_folder();
    }
}

#[test]
fn bad_input_gets_one_line_and_exit_code_2() {
    let desk = Desk::new();
    let missing = desk.folder.path().join("missing");
    desk.complains(Some(&missing), "", "No such file");
    desk.complains(Some(desk.folder.path()), "", "is a directory");
    let empty = desk.file("empty", b"");
    desk.complains(Some(&empty), "", "is empty");
    desk.complains(Some(Path::new("/dev/zero")), "", "not a regular file");

    desk.complains(None, "--threads 0", "0 is not in 1..=512");
    desk.complains(None, "--threads many", "--threads");
    desk.complains(None, "--seconds 0", "between 0.01 and 86400");
    desk.complains(None, "--seconds -1", "between 0.01 and 86400");
    desk.complains(None, "--seconds nan", "between 0.01 and 86400");
    desk.complains(None, "--hold 200", "needs a unit");
    desk.complains(None, "--hold 11s", "between 0 and 10s");
    desk.complains(None, "--io disk", "neither `file` nor a time");
    desk.complains(None, "--mix 101", "101 is not in 0..=100");
    desk.complains(None, "--policy perfect", "perfect");
    desk.complains(
        None,
        "--plot missing/plot.svg",
        "cannot write missing/plot.svg",
    );
    desk.complains(None, "--no-such-option", "--no-such-option");
    desk.complains(None, "one two", "two");
    let small = desk.file("small", b"x");
    desk.complains(Some(&small), "--mix 5", "has one page");
}

/// Root reads what it likes; others get a line.
#[test]
fn a_file_that_may_not_be_read_gets_one_line_and_exit_code_2() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    let secret = desk.file("secret", b"x");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    match fs::File::open(&secret) {
        Err(_) => desk.complains(Some(&secret), "", "Permission denied"),
        Ok(_) => assert!(
            desk.run(Some(&secret), "--seconds 0.05 --policy commit")
                .status
                .success()
        ),
    }
}

#[test]
fn a_temp_folder_that_is_not_there_gets_one_line_and_exit_code_2() {
    let desk = Desk::new();
    let mut command = desk.command(None, "--seconds 0.1");
    let output = command.env("TMPDIR", "/no/such/folder").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.contains("cannot make a file in /no/such/folder"),
        "{errors}"
    );
}

#[test]
fn the_file_is_not_changed_and_nothing_is_left() {
    let desk = Desk::new();
    let bytes: Vec<u8> = (0..300_001u32).map(|number| number as u8).collect();
    let file = desk.file("file", &bytes);
    let output = desk.run(
        Some(&file),
        "--seconds 0.2 --mix 20 --policy commit,unprotected",
    );
    assert!(output.status.success());
    assert_eq!(fs::read(&file).unwrap(), bytes);
    desk.nothing_is_left_in_the_temp_folder();

    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("74 pages of 4096 bytes, read by 4 threads"),
        "{table}"
    );
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    assert!(
        rows[1].starts_with("| Unprotected"),
        "oldest first: {table}"
    );
    assert!(rows[2].starts_with("| Commit"), "{table}");
    assert_eq!(rows.len(), 3, "{table}");
}

#[test]
fn machines_get_the_same_figures_under_names_that_stay() {
    let desk = Desk::new();
    let options = "--seconds 0.2 --io 10us --hold 50us --threads 2 --writers 1 --json";
    let output = desk.run(None, options);
    assert!(output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["format"], 1);
    assert_eq!(report["pages"], 16384);
    assert_eq!(report["io"], "memory");
    assert_eq!(report["io_latency_us"], 10);
    assert_eq!(report["hold_us"], 50);
    let policies = report["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 6);
    for policy in policies {
        let faults = policy["faults"].as_u64().unwrap();
        assert!(faults > 0 && policy["reads"].as_u64().unwrap() > 0);
        assert!(policy["retries"].as_u64() >= policy["fallbacks"].as_u64());
        assert!(policy["fault_p50_ns"].as_u64() <= policy["fault_p99_9_ns"].as_u64());
        if policy["sound"] == true {
            assert_eq!(policy["stale_reads"], 0, "{policy}");
            assert_eq!(policy["orphaned_mappings"], 0, "{policy}");
        }
        assert_eq!(policy["io_errors"], 0);
    }
}

#[test]
fn the_plot_has_a_row_for_each_policy() {
    let desk = Desk::new();
    let file = desk.file("a<b>&c", &[7; 9000]);
    let options = "--seconds 0.05 --policy page-lock,striped --plot plot.svg";
    assert!(desk.run(Some(&file), options).status.success());
    let plot = fs::read_to_string(desk.folder.path().join("plot.svg")).unwrap();
    assert!(plot.starts_with("<svg") && plot.trim_end().ends_with("</svg>"));
    assert!(plot.contains("PageLock") && plot.contains("Striped"));
    assert!(
        plot.contains("a&lt;b&gt;&amp;c"),
        "what is special in XML is escaped"
    );
}

#[test]
fn ctrl_c_ends_the_run_with_the_table_so_far() {
    let desk = Desk::new();
    let mut command = desk.command(None, "--seconds 600 --policy commit,striped");
    let running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // However early it comes, it ends the run; it should come when there is something to show.
    thread::sleep(Duration::from_secs(3));
    let id = running.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.is_empty() || table.contains("| Commit (cut short)"),
        "{table}"
    );
    assert!(!table.contains("Striped"), "{table}");
    desk.nothing_is_left_in_the_temp_folder();
}

#[test]
fn help_explains_the_table_and_why_a_stale_read_matters() {
    let output = Desk::new().run(None, "--help");
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    for word in [
        "stale read",
        "orphaned mappings",
        "fallbacks",
        "Exit codes",
        "--mix",
    ] {
        assert!(help.contains(word), "{word}");
    }
}
