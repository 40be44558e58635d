//! Runs the program in folders of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;

use core::time::Duration;
use std::time::Instant;

use tempfile::TempDir;

/// A run that takes longer hangs in a fault.
const LIMIT: Duration = Duration::from_secs(120);

/// A temp folder for the program, and a folder for files.
pub struct Desk {
    temp: TempDir,
    folder: TempDir,
}

/// The output of a run, and how it ended.
pub struct Output {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Desk {
    pub fn new() -> Self {
        Desk {
            temp: TempDir::new().unwrap(),
            folder: TempDir::new().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn command(&self, file: Option<&Path>, options: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pager"));
        command.args(file).args(options.split_whitespace());
        command.env("TMPDIR", self.temp.path());
        command.current_dir(self.folder.path());
        command
    }

    pub fn run(&self, file: Option<&Path>, options: &str) -> Output {
        self.finish(self.start(self.command(file, options)))
    }

    /// Starts the program. Its output goes to files, so it never waits for a reader.
    pub fn start(&self, mut command: Command) -> Child {
        command.stdout(File::create(self.path("stdout")).unwrap());
        command.stderr(File::create(self.path("stderr")).unwrap());
        command.spawn().unwrap()
    }

    pub fn finish(&self, mut running: Child) -> Output {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = running.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > LIMIT {
                running.kill().unwrap();
                panic!("still running after {LIMIT:?}: a fault hangs");
            }
            thread::sleep(Duration::from_millis(5));
        };
        let read = |name| fs::read_to_string(self.path(name)).unwrap();
        Output {
            status,
            stdout: read("stdout"),
            stderr: read("stderr"),
        }
    }

    pub fn nothing_is_left_in_the_temp_folder(&self) {
        assert_eq!(fs::read_dir(self.temp.path()).unwrap().count(), 0);
    }

    /// Asserts that the program prints one line with this text, and exits with code 2.
    pub fn complains(&self, file: Option<&Path>, options: &str, about: &str) {
        self.complained(&self.run(file, options), about);
    }

    pub fn complained(&self, output: &Output, about: &str) {
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        assert_eq!(status.code(), Some(2), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(
            stderr.starts_with("pager: ") && stderr.contains(about),
            "{stderr}"
        );
        assert!(stdout.is_empty());
        self.nothing_is_left_in_the_temp_folder();
    }
}
