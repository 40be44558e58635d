//! How long a version runs, and its progress bar.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::terminal::{interrupted, progress};

/// Takes the processor from a thread now and then, as an interrupt or a hypervisor does. The systems call it
/// where their versions have their races.
pub fn interrupt() {
    if fastrand::u8(..16) == 0 {
        std::thread::yield_now();
    }
}

/// Gives every version the same time.
#[derive(Debug)]
pub struct Clock {
    /// For each version.
    duration: Duration,
    began: Cell<Instant>,
    /// How much of this version the bar shows.
    shown: Cell<Duration>,
    bar: ProgressBar,
}

impl Clock {
    pub fn new(duration: Duration, versions: usize) -> Self {
        Self {
            duration,
            began: Cell::new(Instant::now()),
            shown: Cell::default(),
            bar: progress(duration * versions as u32),
        }
    }

    /// A version begins.
    pub fn begin(&self, what: String) {
        self.bar.set_message(what);
        self.began.set(Instant::now());
        self.shown.take();
    }

    pub fn elapsed(&self) -> Duration {
        self.began.get().elapsed()
    }

    /// Whether there is time left. Ask several times a second.
    pub fn goes_on(&self) -> bool {
        let elapsed = self.elapsed().min(self.duration);
        self.bar
            .inc((elapsed - self.shown.replace(elapsed)).as_micros() as u64);
        elapsed < self.duration && !interrupted()
    }

    /// Sleeps for a moment, but no longer than the time that is left.
    pub fn nap(&self, moment: Duration) {
        std::thread::sleep(moment.min(self.duration.saturating_sub(self.elapsed())));
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
