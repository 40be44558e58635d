//! The program `page_cache`, as a user meets it: what it prints, what it leaves behind, how it ends.
#![cfg(all(unix, not(loom)))]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
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
        output(&mut self.command(file, options))
    }

    fn nothing_is_left_in_the_temp_folder(&self) {
        assert_eq!(fs::read_dir(self.temp.path()).unwrap().count(), 0);
    }

    /// One line that says what is wrong, and exit code 2.
    fn complains(&self, file: Option<&Path>, options: &str, about: &str) {
        self.is_a_complaint(&self.run(file, options), about);
    }

    fn is_a_complaint(&self, output: &Output, about: &str) {
        let errors = std::str::from_utf8(&output.stderr).unwrap();
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

/// What a command prints and how it ends; but it has to end.
fn output(command: &mut Command) -> Output {
    const DEADLINE: Duration = Duration::from_secs(60);
    let (stdout, stderr) = (Stdio::piped(), Stdio::piped());
    let running = command.stdout(stdout).stderr(stderr).spawn().unwrap();
    let id = running.id();
    let (ended, end) = mpsc::channel();
    let watchdog = thread::spawn(move || {
        let late = end.recv_timeout(DEADLINE).is_err();
        if late {
            signal("-KILL", id);
        }
        late
    });
    let output = running.wait_with_output().unwrap();
    ended.send(()).ok();
    assert!(
        !watchdog.join().unwrap(),
        "{command:?} did not end within {DEADLINE:?}"
    );
    output
}

fn signal(signal: &str, id: u32) {
    let id = id.to_string();
    let sent = Command::new("kill").args([signal, &id]).status().unwrap();
    assert!(sent.success());
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
    desk.complains(None, "--io disk", "give `file` or a time such as 50us");
    desk.complains(None, "--io 50", "needs a unit");
    desk.complains(None, "--every 20", "needs a unit");
    desk.complains(None, "--rounds 0", "0 is not in 1..=1000");
    desk.complains(None, "--range 0", "0 is not in 1..=1024");
    desk.complains(None, "--mix 101", "101 is not in 0..=100");
    let values = "unprotected, as-posted, page-lock, invalidate-rwlock, commit, striped";
    desk.complains(None, "--policy perfect", values);
    desk.complains(
        None,
        "--plot missing/plot.svg",
        "cannot write missing/plot.svg",
    );
    desk.complains(None, "--no-such-option", "--no-such-option");
    desk.complains(None, "one two", "two");
    let small = desk.file("small", b"x");
    desk.complains(Some(&small), "--mix 5", "has only one page");
}

/// Root may read any file; everybody else gets one line.
#[test]
fn an_unreadable_file_gets_one_line_and_exit_code_2() {
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
fn a_missing_temp_folder_gets_one_line_and_exit_code_2() {
    let desk = Desk::new();
    let mut command = desk.command(None, "--seconds 0.1");
    let output = output(command.env("TMPDIR", "/no/such/folder"));
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
        "--seconds 0.2 --threads 4 --mix 20 --policy commit,unprotected",
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
fn what_is_printed_says_what_each_policy_is_and_what_the_figures_come_to() {
    let output = Desk::new().run(None, "--seconds 0.2");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "InvalidateRwLock = a plain RwLock:",
        "Commit           = this crate, one lock:",
        "Striped          = this crate, 64 locks:",
        "Stale data: ",
        "Cost to readers: compared with Unprotected",
        "Cost to writers: they want 100 direct writes/s and get ",
        "Striped (this crate) against InvalidateRwLock (a plain RwLock): ",
        "Striped (this crate) against PageLock (a mutex for each page): ",
        "--plot FILE.svg draws this",
    ] {
        assert!(
            text.lines().any(|there| there.starts_with(line)),
            "{line} in {text}"
        );
    }
}

#[test]
fn a_closed_output_is_not_an_error() {
    let desk = Desk::new();
    let mut command = desk.command(None, "--seconds 0.05 --policy commit");
    let mut running = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(running.stdout.take());
    assert!(running.wait().unwrap().success());
}

/// Reads, writes and invalidations that take ten seconds each do not keep a short run from ending.
#[test]
fn a_run_ends_when_its_time_is_up_whatever_it_sleeps_for() {
    let desk = Desk::new();
    for slow in [
        "--io 10s",
        "--hold 10s",
        "--io 10s --hold 10s --mix 50",
        "--every 10s",
    ] {
        assert!(
            desk.run(None, &format!("{slow} --seconds 0.1"))
                .status
                .success(),
            "{slow}"
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn too_little_memory_for_so_many_threads_gets_one_line_and_exit_code_2() {
    let desk = Desk::new();
    let under = |kibibytes: u32| {
        let mut command = Command::new("sh");
        let limited = format!("ulimit -v {kibibytes} && exec \"$0\" --seconds 0.1 --threads 500");
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_page_cache")]);
        output(command.env("TMPDIR", desk.temp.path()))
    };
    // Their stacks alone are larger.
    for kibibytes in [30_000, 60_000, 100_000] {
        desk.is_a_complaint(&under(kibibytes), "");
    }
    // Here it depends on the machine whether there is enough.
    for kibibytes in [300_000, 600_000, 900_000, 1_200_000] {
        let output = under(kibibytes);
        if !output.status.success() {
            desk.is_a_complaint(&output, "");
        }
    }
}

#[test]
fn json_has_the_same_figures_under_stable_names() {
    let desk = Desk::new();
    let options = "--seconds 0.3 --rounds 3 --io 10us --hold 50us --every 5ms --range 4 --threads 2 \
                   --writers 1 --json";
    let output = desk.run(None, options);
    assert!(output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["format"], 1);
    assert_eq!(report["pages"], 16384);
    assert_eq!(report["io"], "memory");
    assert_eq!(report["io_latency_us"], 10);
    assert_eq!(report["hold_us"], 50);
    assert_eq!(report["every_us"], 5000);
    assert_eq!(report["range_pages"], 4);
    assert_eq!(report["rounds"], 3);
    assert_eq!(report["direct_writes_wanted_per_second"], 200.0);
    let verdict = report["verdict"].as_array().unwrap();
    assert!(
        verdict[0].as_str().unwrap().starts_with("Stale data: "),
        "{verdict:?}"
    );
    let policies = report["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 6);
    for policy in policies {
        let faults = policy["faults"].as_u64().unwrap();
        assert!(faults > 0 && policy["reads"].as_u64().unwrap() > 0);
        assert!(policy["retries"].as_u64() >= policy["fallbacks"].as_u64());
        for call in ["fault", "direct_write"] {
            let took = |what| policy[format!("{call}_{what}_ns")].as_u64().unwrap();
            assert!(0 < took("p50") && took("p50") <= took("p99_9"), "{policy}");
            assert!(took("p99_9") <= took("max"), "{policy}");
        }
        assert!(policy["direct_writes"].as_u64().unwrap() > 0, "{policy}");
        let rounds = policy["rounds"].as_array().unwrap();
        assert_eq!(rounds.len(), 3);
        let rates = |rate| {
            rounds
                .iter()
                .map(move |round| round[rate].as_f64().unwrap())
        };
        for rate in ["faults_per_second", "direct_writes_per_second"] {
            let [least, most] = [
                rates(rate).fold(f64::MAX, f64::min),
                rates(rate).fold(0.0, f64::max),
            ];
            let all = policy[rate].as_f64().unwrap();
            assert!(least <= all && all <= most, "{rate} of {policy}");
        }
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
    for question in [
        "How many faults were served each second?",
        "How long did a fault take?",
        "How many direct writes got through each second?",
        "How long did a direct write take?",
    ] {
        assert!(plot.contains(question), "{question}");
    }
    assert!(
        plot.contains("a&lt;b&gt;&amp;c"),
        "special characters of XML are escaped"
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
    signal("-INT", running.id());
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
        "plain RwLock",
        "fallbacks",
        "Exit codes",
        "--mix",
    ] {
        assert!(help.contains(word), "{word}");
    }
}
