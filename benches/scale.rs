//! How do readers scale, and what do readers and writer cost one another?
//!
//! Readers start at a barrier and run for a fixed time. One writer beside them keeps to a cadence,
//! and holds what it writes for a while, or sleeps in it. Both sides are counted, which exposes a
//! lock that serves readers by starving its writer, or the other way round.
//!
//! ```text
//! cargo bench --bench scale -- [--rounds 5] [--seconds 0.1] [--readers N] [--json FILE]
//! ```

#[path = "scale/contenders.rs"]
mod contenders;
#[path = "bench/json.rs"]
mod json;
#[path = "bench/spread.rs"]
mod spread;

use std::hint::spin_loop;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use contenders::{Contender, Look};
use serde_json::json;
use spread::spread;

#[derive(Parser)]
struct Options {
    /// How often everything is measured; medians are printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds per measurement.
    #[arg(long, default_value_t = 0.1)]
    seconds: f64,
    /// The largest number of readers; by default as many as there are processors.
    #[arg(long)]
    readers: Option<usize>,
    /// Where the figures go as JSON lines.
    #[arg(long, default_value = "target/benchmarks/scale.json")]
    json: std::path::PathBuf,
    /// Passed by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What the writer does.
#[derive(Clone, Copy)]
struct Writer {
    name: &'static str,
    /// From the beginning of one write to that of the next; `None` if there is no writer.
    every: Option<Duration>,
    hold: Hold,
}

impl Writer {
    /// Whether it is held for longer than it takes.
    fn holds(self) -> bool {
        !matches!(self.hold, Hold::Busy(Duration::ZERO))
    }
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

impl Totals {
    fn reads_per_second(&self) -> f64 {
        self.reads as f64 / self.seconds
    }

    fn writes_per_second(&self) -> f64 {
        self.writes as f64 / self.seconds
    }

    /// The share of `wasted` in all looks, good and wasted.
    fn share(&self, wasted: u64) -> f64 {
        wasted as f64 / (self.reads + self.races + self.refused).max(1) as f64
    }
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
                        // Several at a time, so that the loop itself is not measured.
                        for _ in 0..64 {
                            match lock.look() {
                                Look::Good => good += 1,
                                Look::Raced => raced += 1,
                                Look::Refused => refused += 1,
                            }
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

/// A contender, and what it did in each round with this many readers.
struct Entry {
    name: &'static str,
    measure: fn(usize, Writer, Duration) -> Totals,
}

fn main() {
    let options = Options::parse();
    let most = options
        .readers
        .unwrap_or_else(|| thread::available_parallelism().unwrap().get());
    let time = Duration::from_secs_f64(options.seconds);
    let mut lines = json::Lines::create(&options.json);
    let contenders = for_each_contender!(Entry);

    for writer in WRITERS {
        // In turn, rounds outermost, so that all share the machine's moods.
        let mut totals: Vec<Vec<Vec<Totals>>> = (0..=most)
            .map(|_| contenders.iter().map(|_| Vec::new()).collect())
            .collect();
        for _ in 0..options.rounds {
            for readers in 1..=most {
                for (contender, totals) in contenders.iter().zip(&mut totals[readers]) {
                    totals.push((contender.measure)(readers, writer, time));
                }
            }
        }
        for readers in 1..=most {
            println!(
                "\n{readers} reader{}, {}\n{:<22} {:>9} {:>17}  {:>7} {:>10} {:>8} {:>9} {:>9}",
                if readers == 1 { "" } else { "s" },
                writer.name,
                "",
                "Mreads/s",
                "[min .. max]",
                "scale",
                "writes/s",
                "cadence",
                "Race",
                "Running",
            );
            for (position, contender) in contenders.iter().enumerate() {
                let of = |readers: usize, figure: fn(&Totals) -> f64| -> Vec<f64> {
                    totals[readers][position].iter().map(figure).collect()
                };
                let [reads, least, highest] = spread(of(readers, Totals::reads_per_second));
                // Against one reader in the same round.
                let scaling = of(readers, Totals::reads_per_second)
                    .iter()
                    .zip(of(1, Totals::reads_per_second))
                    .map(|(many, one)| many / one)
                    .collect();
                let [scaling, ..] = spread(scaling);
                let [writes, ..] = spread(of(readers, Totals::writes_per_second));
                let [raced, ..] = spread(of(readers, |totals| totals.share(totals.races)));
                let [refused, ..] = spread(of(readers, |totals| totals.share(totals.refused)));
                let kept = writer.every.map(|every| writes * every.as_secs_f64());
                println!(
                    "{:<22} {:>9.1} [{:>6.1} .. {:>6.1}]  {:>6.2}x {:>10.0} {:>7.1}% {:>8.4}% {:>8.4}%",
                    contender.name,
                    reads / 1e6,
                    least / 1e6,
                    highest / 1e6,
                    scaling,
                    writes,
                    100.0 * kept.unwrap_or(1.0),
                    100.0 * raced,
                    100.0 * refused,
                );
                lines.push(&json!({
                    "contender": contender.name,
                    "readers": readers,
                    "writer": writer.name,
                    "every_us": writer.every.map(|every| every.as_micros() as u64),
                    "holds": writer.holds(),
                    "reads_per_second": reads,
                    "reads_per_second_min": least,
                    "reads_per_second_max": highest,
                    "scaling": scaling,
                    "writes_per_second": writes,
                    "cadence_kept": kept,
                    "raced": raced,
                    "refused": refused,
                }));
            }
        }
    }
    lines.finish();
}
