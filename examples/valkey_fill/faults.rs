//! What goes wrong while processes fill and update, and the outcome.

use core::fmt;
use core::time::Duration;
use std::io;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::fence::LEASE;
use crate::process::{Job, Process};
use crate::server::Server;
use crate::shared::{Count, KEYS, Shared};
use crate::users::{Remedies, Users, Way};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// A process that updates is killed at any point, and another takes its place.
    Killed,
    /// A process that updates is stopped for longer than its leases last, and then goes on.
    Stopped,
    /// The server is killed, and an empty one takes its place.
    Restarted,
    Flushed,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "no fault",
            Self::Killed => "writers killed",
            Self::Stopped => "writers stopped",
            Self::Restarted => "server restarted empty",
            Self::Flushed => "FLUSHALL",
        })
    }
}

/// A fault, and the way it is met.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub fault: Fault,
    pub way: Way,
    /// The name of the way.
    pub name: &'static str,
}

impl Case {
    /// Whether nothing may be stale, or even behind.
    pub fn must_hold(&self) -> bool {
        self.way == Way::Fenced(Remedies::ALL)
    }
}

/// Each fault met the usual way, fenced without the remedy for it, and fenced.
pub fn cases() -> Vec<Case> {
    const ALL: Remedies = Remedies::ALL;
    let neither = Remedies {
        renews: false,
        row_versions: false,
        ..ALL
    };
    let leases = Remedies {
        row_versions: false,
        ..ALL
    };
    let no_nonces = Remedies {
        nonces: false,
        ..ALL
    };
    let weaker: [(Fault, &[(&'static str, Remedies)]); 5] = [
        (Fault::None, &[]),
        (Fault::Killed, &[]),
        (
            Fault::Stopped,
            &[
                ("fenced, no check at the commit", neither),
                ("fenced, lease checked", leases),
            ],
        ),
        (Fault::Restarted, &[("fenced, no nonces", no_nonces)]),
        (Fault::Flushed, &[("fenced, no nonces", no_nonces)]),
    ];
    let mut cases = Vec::new();
    for (fault, weaker) in weaker {
        let mut case = |name, way| cases.push(Case { fault, way, name });
        case("usual", Way::Usual);
        for (name, remedies) in weaker {
            case(name, Way::Fenced(*remedies));
        }
        case("fenced", Way::Fenced(ALL));
    }
    cases
}

/// The outcome of a case.
#[derive(Debug)]
pub struct Outcome {
    pub case: Case,
    seconds: f64,
    gets: u64,
    hits: u64,
    loads: u64,
    not_kept: u64,
    updates: u64,
    lost: u64,
    failed: u64,
    pub stale: u64,
    pub behind: u64,
    longest_behind: Duration,
}

const FILLERS: usize = 2;
const WRITERS: usize = 2;

/// Runs a case for a while: two processes fill, two update, and each get is checked.
pub async fn run(server: &mut Server, case: Case, time: Duration) -> io::Result<Outcome> {
    server.flush().await?;
    let file = tempfile::NamedTempFile::new()?;
    let shared = Shared::create(file.as_file())?;
    let start = |job| Process::start(job, server.port(), case.way, file.path());
    let fillers = (0..FILLERS).map(|_| start(Job::Fill));
    let mut fillers = fillers.collect::<io::Result<Vec<_>>>()?;
    let writers = (0..WRITERS).map(|_| start(Job::Write));
    let mut writers = writers.collect::<io::Result<Vec<_>>>()?;

    let begun = Instant::now();
    while begun.elapsed() < time && !crate::interrupted() {
        harm(server, case, file.path(), &mut writers).await?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    shared.stop();
    if crate::interrupted() {
        // Ctrl-C reached the other processes, too.
        return Err(io::ErrorKind::Interrupted.into());
    }
    for process in fillers.iter_mut().chain(&mut writers) {
        process.join()?;
    }

    // What is left once all is quiet and the leases of dead writers have ended.
    tokio::time::sleep(LEASE).await;
    let users = Users::new(Shared::open(file.as_file())?, server.port(), case.way);
    for key in 0..KEYS {
        let getting = shared.getting(key);
        shared.got(&getting, users.get(key).await);
    }
    Ok(Outcome::new(case, seconds, &shared))
}

async fn harm(
    server: &mut Server,
    case: Case,
    shared: &Path,
    writers: &mut [Process],
) -> io::Result<()> {
    let some = fastrand::usize(..WRITERS);
    let a_while = |milliseconds| tokio::time::sleep(Duration::from_millis(milliseconds));
    match case.fault {
        Fault::None => a_while(50).await,
        Fault::Killed => {
            a_while(100).await;
            writers[some].kill();
            writers[some] = Process::start(Job::Write, server.port(), case.way, shared)?;
        }
        Fault::Stopped => {
            a_while(50).await;
            writers[some].signal("STOP")?;
            tokio::time::sleep(LEASE + LEASE / 3).await;
            writers[some].signal("CONT")?;
        }
        Fault::Restarted => {
            a_while(200).await;
            server.restart().await?;
        }
        Fault::Flushed => {
            a_while(10).await;
            server.flush().await?;
        }
    }
    Ok(())
}

impl Outcome {
    fn new(case: Case, seconds: f64, shared: &Shared) -> Self {
        let count = |count| shared.counted(count);
        Self {
            case,
            seconds,
            gets: count(Count::Gets),
            hits: count(Count::Hits),
            loads: count(Count::Loads),
            not_kept: count(Count::NotKept),
            updates: count(Count::Updates),
            lost: count(Count::Lost),
            failed: count(Count::Failed),
            stale: count(Count::Stale),
            behind: count(Count::Behind),
            longest_behind: shared.longest_behind(),
        }
    }

    pub fn heading() -> String {
        let columns = [
            "gets", "hits", "loads", "not kept", "updates", "lost", "failed", "stale", "behind",
        ];
        let columns: String = columns.map(|column| format!("{column:>9}")).concat();
        format!("{:<56}{columns}  longest behind", "")
    }

    pub fn json(&self) -> Value {
        json!({
            "fault": self.case.fault.to_string(),
            "way": self.case.name,
            "must_hold": self.case.must_hold(),
            "seconds": self.seconds,
            "gets": self.gets,
            "hits": self.hits,
            "loads": self.loads,
            "not_kept": self.not_kept,
            "updates": self.updates,
            "lost": self.lost,
            "failed": self.failed,
            "stale": self.stale,
            "behind": self.behind,
            "longest_behind_ms": self.longest_behind.as_secs_f64() * 1e3,
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            gets,
            hits,
            loads,
            not_kept,
            updates,
            lost,
            failed,
            stale,
            behind,
            ..
        } = self;
        let name = format!("{}: {}", self.case.fault, self.case.name);
        write!(
            f,
            "{name:<56}{gets:>9}{hits:>9}{loads:>9}{not_kept:>9}{updates:>9}{lost:>9}{failed:>9}{stale:>9}{behind:>9}"
        )?;
        match self.behind {
            0 => Ok(()),
            _ => write!(f, "  {:.1?}", self.longest_behind),
        }
    }
}
