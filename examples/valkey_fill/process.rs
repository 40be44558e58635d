//! The processes: each is this program again, told by the environment what to do.

use core::time::Duration;
use std::env;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use crate::shared::{Count, KEYS, Shared};
use crate::users::{Remedies, Users, Way};

const JOB: &str = "VALKEY_FILL_JOB";
const TASKS: usize = 8;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Gets, and checks what it is served.
    Fill,
    /// Updates.
    Write,
    /// Begins one update, and stops in the middle of it until it is told to go on.
    StandStill,
}

/// A child process; it ends with this handle.
pub struct Process {
    child: Child,
}

impl Process {
    pub fn start(job: Job, port: u16, way: Way, shared: &Path) -> io::Result<Self> {
        let number = match job {
            Job::Fill => 0,
            Job::Write => 1,
            Job::StandStill => 2,
        };
        let way = match way {
            Way::Usual => 0,
            Way::Fenced(Remedies {
                nonces,
                renews,
                row_versions,
            }) => 1 | u8::from(nonces) << 1 | u8::from(renews) << 2 | u8::from(row_versions) << 3,
        };
        let mut command = Command::new(env::current_exe()?);
        // In its tests this program is the test runner.
        #[cfg(test)]
        command.args(["--exact", "tests::one_of_the_processes"]);
        let child = command
            .env(JOB, format!("{number} {port} {way} {}", shared.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self { child })
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// `STOP` or `CONT`.
    pub fn signal(&self, signal: &str) -> io::Result<()> {
        let status = Command::new("kill")
            .args([&format!("-{signal}"), &self.child.id().to_string()])
            .status()?;
        match status.success() {
            true => Ok(()),
            false => Err(io::Error::other("a process has ended too early")),
        }
    }

    /// Waits for its end.
    pub fn join(&mut self) -> io::Result<()> {
        let status = self.child.wait()?;
        match status.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!("a process failed: {status}"))),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Does the job that the environment names, if it names one.
pub fn work_if_told() -> Option<()> {
    let job = env::var(JOB).ok()?;
    let mut words = job.splitn(4, ' ');
    let mut word = || words.next().expect("four words");
    let job = match word() {
        "0" => Job::Fill,
        "1" => Job::Write,
        _ => Job::StandStill,
    };
    let port = word().parse().expect("a port");
    let way = match word().parse::<u8>().expect("a way") {
        0 => Way::Usual,
        bits => Way::Fenced(Remedies {
            nonces: bits & 2 > 0,
            renews: bits & 4 > 0,
            row_versions: bits & 8 > 0,
        }),
    };
    let file = File::options()
        .read(true)
        .write(true)
        .open(word())
        .expect("the shared memory is there");
    let shared = Shared::open(&file).expect("the shared memory can be mapped");
    let users = Arc::new(Users::new(shared, port, way));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be started");
    runtime.block_on(async {
        if job == Job::StandStill {
            return stand_still(&users).await;
        }
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let users = Arc::clone(&users);
                tokio::spawn(async move {
                    while !users.shared.stopped() {
                        match job {
                            Job::Fill => fill(&users).await,
                            _ => write(&users).await,
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no task panics");
        }
    });
    Some(())
}

async fn fill(users: &Users) {
    let key = fastrand::u64(..KEYS);
    let getting = users.shared.getting(key);
    let version = users.get(key).await;
    users.shared.got(&getting, version);
}

async fn write(users: &Users) {
    tokio::time::sleep(Duration::from_millis(60).mul_f64(fastrand::f64())).await;
    let key = fastrand::u64(..KEYS);
    if let Some(version) = users.update(key).await {
        users.shared.update_returned(key, version);
    }
}

/// One update of user 0, halted where the test says.
async fn stand_still(users: &Users) {
    const KEY: u64 = 0;
    const WRITER: u64 = 1;

    let Way::Fenced(remedies) = users.way() else {
        panic!("only a fence waits for writers");
    };
    let shared = &users.shared;
    let row = users.read(KEY).await;
    let fences = users.fences(remedies).await.expect("the server answers");
    fences.enter(KEY, WRITER).await.expect("the server answers");
    shared.count(Count::Entered);
    shared.until(Count::MayCommit).await;
    let lock = remedies.row_versions.then_some(row.lock);
    let committed = shared.commit(KEY, lock);
    let how = match committed {
        Some(_) => Count::Committed,
        None => Count::KeptOut,
    };
    shared.count(how);
    shared.until(Count::MayLeave).await;
    fences.leave(KEY, WRITER).await.expect("the server answers");
    let version = match committed {
        Some(version) => version,
        None => users.update(KEY).await.expect("the server answers"),
    };
    shared.update_returned(KEY, version);
}
