//! How do readers scale, and what do readers and writer cost one another?
//!
//! Readers run for a fixed time behind a barrier, one writer beside them keeps to a cadence and holds
//! what it writes for a while, or sleeps in it. Both sides are counted: a lock that serves readers by
//! starving its writer, or the other way round, shows it here.
//!
//! ```text
//! cargo bench --bench scale -- [--seconds 0.3] [--readers N] [--json FILE]
//! ```

#[path = "scale/contenders.rs"]
mod contenders;
#[path = "bench/json.rs"]
mod json;

use std::hint::spin_loop;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use contenders::{Contender, Look};
use serde_json::json;

#[derive(Parser)]
struct Options {
    /// How long each figure is measured.
    #[arg(long, default_value_t = 0.3)]
    seconds: f64,
    /// The largest number of readers; by default as many as there are processors.
    #[arg(long)]
    readers: Option<usize>,
    /// Where the figures go as JSON lines.
    #[arg(long, default_value = "target/benchmarks/scale.json")]
    json: std::path::PathBuf,
    /// What cargo passes.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What the writer does.
#[derive(Clone, Copy)]
struct Writer {
    name: &'static str,
    /// From the beginning of one write to that of the next; `None`: there is no writer.
    every: Option<Duration>,
    hold: Hold,
}

/// What happens inside a write.
#[derive(Clone, Copy)]
enum Hold {
    Busy(Duration),
    Asleep(Duration),
}

impl Hold {
    fn pass(self) {
        match self {
            Hold::Busy(time) => busy_until(Instant::now() + time),
            Hold::Asleep(time) => thread::sleep(time),
        }
    }
}

fn busy_until(end: Instant) {
    while Instant::now() < end {
        spin_loop();
    }
}

const fn writer(name: &'static str, every_us: u64, hold: Hold) -> Writer {
    Writer {
        name,
        every: Some(Duration::from_micros(every_us)),
        hold,
    }
}

const fn busy(us: u64) -> Hold {
    Hold::Busy(Duration::from_micros(us))
}

const WRITERS: [Writer; 7] = [
    Writer {
        name: "no writer",
        every: None,
        hold: busy(0),
    },
    writer("every 1 ms", 1_000, busy(0)),
    writer("every 10 µs", 10, busy(0)),
    writer("every 1 µs", 1, busy(0)),
    writer("every 1 ms, holds 1 µs", 1_000, busy(1)),
    writer("every 1 ms, holds 100 µs", 1_000, busy(100)),
    writer(
        "every 2 ms, sleeps 1 ms",
        2_000,
        Hold::Asleep(Duration::from_millis(1)),
    ),
];

/// What was counted.
#[derive(Default)]
struct Totals {
    reads: u64,
    races: u64,
    refused: u64,
    writes: u64,
    seconds: f64,
}

fn measure<C: Contender>(readers: usize, writer: Writer, time: Duration) -> Totals {
    let lock = C::new();
    let stop = AtomicBool::new(false);
    let start = Barrier::new(readers + 2);
    let mut totals = Totals::default();
    thread::scope(|threads| {
        let readers: Vec<_> = (0..readers)
            .map(|_| {
                threads.spawn(|| {
                    let [mut good, mut raced, mut refused] = [0_u64; 3];
                    start.wait();
                    while !stop.load(Relaxed) {
                        match lock.look() {
                            Look::Good => good += 1,
                            Look::Raced => raced += 1,
                            Look::Refused => refused += 1,
                        }
                    }
                    (good, raced, refused)
                })
            })
            .collect();
        let writes = threads.spawn(|| {
            let mut writes = 0_u64;
            start.wait();
            let Some(every) = writer.every else { return 0 };
            let mut next = Instant::now();
            while !stop.load(Relaxed) {
                lock.write(writes, || writer.hold.pass());
                writes += 1;
                next = (next + every).max(Instant::now().checked_sub(every).unwrap());
                // A sleep is too coarse for a cadence of microseconds; a busy wait takes a processor
                // from the readers, the same one for every contender.
                if every >= Duration::from_millis(1) {
                    thread::sleep(next.saturating_duration_since(Instant::now()));
                } else {
                    busy_until(next);
                }
            }
            writes
        });
        start.wait();
        let began = Instant::now();
        thread::sleep(time);
        stop.store(true, Relaxed);
        totals.seconds = began.elapsed().as_secs_f64();
        for reader in readers {
            let (good, raced, refused) = reader.join().unwrap();
            totals.reads += good;
            totals.races += raced;
            totals.refused += refused;
        }
        totals.writes = writes.join().unwrap();
    });
    totals
}

struct Report {
    options: Options,
    lines: json::Lines,
}

impl Report {
    fn add<C: Contender>(&mut self, readers: usize, writer: Writer) {
        let totals = measure::<C>(
            readers,
            writer,
            Duration::from_secs_f64(self.options.seconds),
        );
        let looks = (totals.reads + totals.races + totals.refused).max(1) as f64;
        let target = writer
            .every
            .map_or(0.0, |every| totals.seconds / every.as_secs_f64());
        let reads = totals.reads as f64 / totals.seconds;
        let writes = totals.writes as f64 / totals.seconds;
        let kept = if target > 0.0 {
            totals.writes as f64 / target
        } else {
            1.0
        };
        let (raced, refused) = (totals.races as f64 / looks, totals.refused as f64 / looks);
        println!(
            "{:<24} {:>12.0} {:>10.0} {:>7.1}% {:>7.3}% {:>8.3}%",
            C::NAME,
            reads,
            writes,
            100.0 * kept,
            100.0 * raced,
            100.0 * refused,
        );
        self.lines.push(&json!({
            "contender": C::NAME,
            "readers": readers,
            "writer": writer.name,
            "every_us": writer.every.map(|every| every.as_micros() as u64),
            "reads_per_second": reads,
            "writes_per_second": writes,
            "cadence_kept": kept,
            "raced": raced,
            "refused": refused,
        }));
    }
}

fn main() {
    let options = Options::parse();
    let most = options
        .readers
        .unwrap_or_else(|| thread::available_parallelism().unwrap().get());
    let lines = json::Lines::create(&options.json);
    let mut report = Report { options, lines };
    for readers in 1..=most {
        for writer in WRITERS {
            println!(
                "\n{readers} reader{}, {}\n{:<24} {:>12} {:>10} {:>8} {:>8} {:>9}",
                if readers == 1 { "" } else { "s" },
                writer.name,
                "",
                "reads/s",
                "writes/s",
                "cadence",
                "Race",
                "Running",
            );
            for_each_contender!(report.add(readers, writer));
        }
    }
    report.lines.finish();
}
