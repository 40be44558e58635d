//! Contenders in turn, round by round.

use std::time::{Duration, Instant};

/// The number of rounds; more rounds give narrower quartiles.
const ROUNDS: usize = 301;
/// How long each contender runs in a round.
const TURN: Duration = Duration::from_micros(200);

/// Contenders measured against one another. The others are divided by the first one to enter.
pub struct Contest {
    title: String,
    contenders: Vec<Contender>,
}

struct Contender {
    name: String,
    /// Runs the operation this many times.
    run: Box<dyn Fn(u32)>,
}

impl Contest {
    pub fn new(title: &str) -> Self {
        Contest {
            title: title.to_owned(),
            contenders: Vec::new(),
        }
    }

    pub fn enter(&mut self, name: &str, operation: impl Fn() + 'static) {
        let run = Box::new(move |times| {
            for _ in 0..times {
                operation();
            }
        });
        self.contenders.push(Contender {
            name: name.to_owned(),
            run,
        });
    }

    /// Runs the contest and prints its table.
    pub fn run(self) {
        let batches: Vec<u32> = self.contenders.iter().map(Contender::batch).collect();
        let mut nanoseconds = vec![Vec::with_capacity(ROUNDS); self.contenders.len()];
        for _ in 0..ROUNDS {
            for (position, contender) in self.contenders.iter().enumerate() {
                let batch = batches[position];
                nanoseconds[position]
                    .push(contender.time(batch).as_nanos() as f64 / f64::from(batch));
            }
        }

        println!(
            "\n{}\n{:<24} {:>10}  {:>8} [quartiles]",
            self.title, "", "ns", "ratio"
        );
        for (contender, taken) in self.contenders.iter().zip(&nanoseconds) {
            let ratios = taken
                .iter()
                .zip(&nanoseconds[0])
                .map(|(this, first)| this / first)
                .collect();
            let [low, ratio, high] = quartiles(ratios);
            let [_, median, _] = quartiles(taken.clone());
            println!(
                "{:<24} {median:>10.2}  {ratio:>8.3} [{low:.3} .. {high:.3}]",
                contender.name
            );
        }
    }
}

impl Contender {
    fn time(&self, times: u32) -> Duration {
        let start = Instant::now();
        (self.run)(times);
        start.elapsed()
    }

    /// How often the operation fits into a turn.
    fn batch(&self) -> u32 {
        let mut batch = 16;
        while self.time(batch) < TURN && batch < 1 << 24 {
            batch *= 2;
        }
        batch
    }
}

/// Lower quartile, median, upper quartile.
fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[values.len() * quarter / 4])
}
