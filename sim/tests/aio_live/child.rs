//! The process in which real rings are moved about: this program, started once more.
//!
//! It may crash, hang, or be killed by a filter, and none of that ends the test. It does one thing at a time: a
//! line comes in, some lines and an empty one go out.

use core::str::FromStr as _;
use core::time::Duration;
use std::env;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::process::{self, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Instant;

use seqschedlock_sim::aio::remap::live::{Kernel, mover_against_destroyer};

use crate::real::Real;
use crate::system::{Op, apply};

/// Tells the program that it is a child, and of what kind.
const VARIABLE: &str = "AIO_LIVE_CHILD";
/// Before each line that a child prints: the test harness prints others.
const MARK: &str = "aio_live> ";

/// What the child is to do: answer one line after the other.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Answers any line with what the kernel does where kernels differ, or why there is nothing to compare.
    Probe,
    /// First how many places to look at, then operations.
    Case,
    /// How many rounds to race.
    Race,
    /// Any line kills it.
    Die,
    /// It never answers.
    Hang,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Case => "case",
            Self::Race => "race",
            Self::Die => "die",
            Self::Hang => "hang",
        }
    }
}

/// A child at work.
pub struct Child {
    process: process::Child,
    orders: Option<ChildStdin>,
    lines: Receiver<String>,
    deadline: Instant,
    limit: Duration,
}

impl Child {
    /// Starts a child that has this much time for everything.
    pub fn start(kind: Kind, limit: Duration) -> Self {
        let program = env::current_exe().expect("a test knows where it is");
        let mut process = Command::new(program)
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(VARIABLE, kind.name())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a test can be started");
        let output = BufReader::new(process.stdout.take().expect("it is a pipe"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The harness does not end its own lines before it runs a test.
                let ours = line.split_once(MARK).map(|(_, ours)| ours.to_owned());
                if ours.is_some_and(|ours| sender.send(ours).is_err()) {
                    break;
                }
            }
        });
        Self {
            orders: process.stdin.take(),
            process,
            lines,
            deadline: Instant::now() + limit,
            limit,
        }
    }

    /// Sends a line, and waits for the answer.
    pub fn ask(&mut self, line: &str) -> Result<String, String> {
        if let Some(orders) = &mut self.orders {
            // If it has died, there will be no answer either.
            let _ = writeln!(orders, "{line}");
        }
        let mut answer: Vec<String> = Vec::new();
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.is_empty() => return Ok(answer.join("\n")),
                Ok(line) => answer.push(line),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("the child took longer than {:?}", self.limit));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("the child died\n{}", self.last_words()));
                }
            }
        }
    }

    /// Nothing more is asked. The child has to end well.
    pub fn end(mut self) -> Result<(), String> {
        self.orders = None;
        loop {
            match self.process.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => {
                    return Err(format!(
                        "the child ended with {status}\n{}",
                        self.last_words()
                    ));
                }
                Ok(None) if Instant::now() < self.deadline => {
                    thread::sleep(Duration::from_millis(2));
                }
                Ok(None) => return Err(format!("the child did not end within {:?}", self.limit)),
                Err(error) => return Err(format!("the child is lost: {error}")),
            }
        }
    }

    fn last_words(&mut self) -> String {
        let mut words = String::new();
        if let Some(errors) = &mut self.process.stderr {
            let _ = errors.read_to_string(&mut words);
        }
        let status = self.process.wait().map(|status| status.to_string());
        format!("{words}{}", status.unwrap_or_default())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the child does, if this is one.
pub fn be_child() {
    let Ok(kind) = env::var(VARIABLE) else { return };
    let mut orders = io::stdin().lines().map_while(Result::ok);
    match kind.as_str() {
        "probe" => {
            if orders.next().is_some() {
                say(&match Kernel::probe() {
                    Ok(kernel) => tell(&kernel),
                    Err(skip) => format!("skip {skip}"),
                });
            }
        }
        "case" => {
            let places = orders.next().and_then(|places| places.parse().ok());
            let places = places.expect("the first line is a number");
            let mut real = Real::new().expect("there was an arena in the probe");
            say("ready");
            for order in orders {
                let op = Op::from_str(&order).expect("an operation");
                say(&apply(&mut real, op, places));
            }
        }
        "race" => {
            let rounds = orders.next().and_then(|rounds| rounds.parse().ok());
            let rounds: u64 = rounds.expect("the first line is a number");
            let tally = mover_against_destroyer(|tally| tally.rounds < rounds);
            let tally = tally.expect("there was AIO in the probe");
            say(&format!("{} {tally:?}", tally.holds()));
        }
        "die" => process::exit(orders.next().map_or(0, |_| 3)),
        "hang" => orders.for_each(drop),
        other => panic!("{VARIABLE}={other}?"),
    }
}

fn say(text: &str) {
    let mut output = io::stdout().lock();
    let lines = text.lines().chain([""]);
    let all: String = lines.map(|line| format!("{MARK}{line}\n")).collect();
    output
        .write_all(all.as_bytes())
        .and_then(|()| output.flush())
        .expect("somebody listens");
}

fn tell(kernel: &Kernel) -> String {
    let mut kernel = *kernel;
    let flags = flags(&mut kernel).map(|flag| u8::from(*flag).to_string());
    format!("kernel {} {}", kernel.possible_cpus, flags.join(" "))
}

fn flags(kernel: &mut Kernel) -> [&mut bool; 4] {
    [
        &mut kernel.refuses_part,
        &mut kernel.moves_several_areas,
        &mut kernel.checks_same_size,
        &mut kernel.refuses_before_unmapping,
    ]
}

/// What a probe said: a kernel, or why there is none.
pub fn understand(answer: &str) -> Result<Kernel, String> {
    if let Some(why) = answer.strip_prefix("skip ") {
        return Err(why.to_owned());
    }
    let mut numbers = answer
        .split_ascii_whitespace()
        .skip(1)
        .map(str::parse::<u32>);
    let mut next = || numbers.next().and_then(Result::ok).expect("a number");
    let mut kernel = Kernel {
        possible_cpus: next(),
        refuses_part: false,
        moves_several_areas: false,
        checks_same_size: false,
        refuses_before_unmapping: false,
    };
    for flag in flags(&mut kernel) {
        *flag = next() != 0;
    }
    Ok(kernel)
}
