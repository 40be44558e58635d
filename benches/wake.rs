//! How soon does a blocked reader run again, and what does waiting cost?
//!
//! *Latency*: from just before the last writer leaves until the reader that it blocked runs. All
//! contenders take turns, round by round, so that they share the machine's moods.
//! *Processor time*: what a reader burns while it waits for a section that sleeps for 10 ms.
//!
//! ```text
//! cargo bench --bench wake -- [--rounds 2000] [--json FILE]
//! ```

#[path = "wake/doors.rs"]
mod doors;
#[path = "bench/json.rs"]
mod json;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use cpu_time::ThreadTime;
use doors::{BareFutex, Door, ParkingLotCondvar, StdCondvar};
use hdrhistogram::Histogram;
use seqschedlock::{Park, RawSeqSchedLock, Spin, Yield};
use serde_json::json;

#[derive(Parser)]
struct Options {
    /// How often each contender wakes its reader.
    #[arg(long, default_value_t = 2000)]
    rounds: usize,
    /// Where the figures go as JSON lines.
    #[arg(long, default_value = "target/benchmarks/wake.json")]
    json: std::path::PathBuf,
    /// Passed by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Long enough for a reader to be asleep, whatever it does before.
const FALL_ASLEEP: Duration = Duration::from_micros(300);

type Hold = dyn Fn(&dyn Fn()) -> Instant;

/// A reader on a thread of its own, behind a door.
struct Contender {
    name: &'static str,
    /// Holds the door shut while its reader comes to it; returns the moment at which it was opened.
    hold: Box<Hold>,
    go: Sender<()>,
    awake: Receiver<Instant>,
    latencies: Histogram<u64>,
}

impl Contender {
    fn new<D: Door>() -> Self {
        let door = Arc::new(D::default());
        let (go, gone) = channel();
        let (woken, awake) = channel();
        thread::spawn({
            let door = Arc::clone(&door);
            move || {
                while gone.recv().is_ok() {
                    door.pass();
                    woken.send(Instant::now()).unwrap();
                }
            }
        });
        Contender {
            name: D::NAME,
            hold: Box::new(move |during| door.hold(during)),
            go,
            awake,
            latencies: Histogram::new(3).unwrap(),
        }
    }

    fn round(&mut self) {
        let opened = (self.hold)(&|| {
            self.go.send(()).unwrap();
            thread::sleep(FALL_ASLEEP);
        });
        let latency = self.awake.recv().unwrap().saturating_duration_since(opened);
        self.latencies.record(latency.as_nanos() as u64).unwrap();
    }
}

fn latencies(rounds: usize, lines: &mut json::Lines) {
    let mut contenders = [
        Contender::new::<RawSeqSchedLock<Park>>(),
        Contender::new::<StdCondvar>(),
        Contender::new::<ParkingLotCondvar>(),
        Contender::new::<BareFutex>(),
    ];
    for _ in 0..rounds {
        contenders.iter_mut().for_each(Contender::round);
    }
    println!("last writer out to reader running, µs, {rounds} rounds in turn");
    println!("{:<24} {:>8} {:>8} {:>8}", "", "p50", "p99", "p99.9");
    for contender in &contenders {
        let [p50, p99, p999] = [0.5, 0.99, 0.999]
            .map(|quantile| contender.latencies.value_at_quantile(quantile) as f64 / 1_000.0);
        println!("{:<24} {p50:>8.1} {p99:>8.1} {p999:>8.1}", contender.name);
        lines.push(&json!({
            "contender": contender.name, "p50_us": p50, "p99_us": p99, "p99_9_us": p999,
        }));
    }
}

/// What the reader's thread burns while the door is held for this long.
fn processor_time<D: Door>(held: Duration, lines: &mut json::Lines) {
    const ROUNDS: u32 = 20;
    let mut burnt = Duration::ZERO;
    for _ in 0..ROUNDS {
        let door = Arc::new(D::default());
        let (shut, is_shut) = channel();
        let reader = thread::spawn({
            let door = Arc::clone(&door);
            move || {
                is_shut.recv().unwrap();
                let start = ThreadTime::now();
                door.pass();
                start.elapsed()
            }
        });
        door.hold(&|| {
            shut.send(()).unwrap();
            thread::sleep(held);
        });
        burnt += reader.join().unwrap();
    }
    let each = burnt / ROUNDS;
    println!("{:<24} {:>8.0} µs", D::NAME, each.as_secs_f64() * 1e6);
    lines.push(&json!({
        "contender": D::NAME,
        "waited_ms": held.as_secs_f64() * 1e3,
        "burnt_us": each.as_secs_f64() * 1e6,
    }));
}

fn main() {
    let options = Options::parse();
    let mut lines = json::Lines::create(&options.json);
    latencies(options.rounds, &mut lines);
    let held = Duration::from_millis(10);
    println!("\nprocessor time of a reader that waits {held:?}");
    processor_time::<RawSeqSchedLock<Spin>>(held, &mut lines);
    processor_time::<RawSeqSchedLock<Yield>>(held, &mut lines);
    processor_time::<RawSeqSchedLock<Park>>(held, &mut lines);
    processor_time::<StdCondvar>(held, &mut lines);
    lines.finish();
}
