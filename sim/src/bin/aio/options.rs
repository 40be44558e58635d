//! The command line.

use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::system::System;
use crate::terminal::seconds;
use crate::{live, remap, retry, ring};

/// Run simulated AIO systems of the kernel on real threads, each in all versions of its history, and count
/// what goes wrong.
///
/// In each system some threads do what programs do, and others do what the kernel does behind their backs.
/// The old versions have races: events are lost or read twice, memory is used after it was freed, memory
/// of others is unmapped. Nothing crashes here. What would corrupt memory in a kernel is a number in a
/// table. The last table is not simulated: the kernel of this machine gets the same treatment.
#[derive(Debug, Parser)]
#[command(name = "aio", version, after_long_help = AFTER)]
pub struct Options {
    /// Which systems to run, separated by commas. All by default.
    #[arg(long, value_name = "SYSTEM", value_delimiter = ',', value_enum)]
    pub only: Vec<SystemName>,

    /// How long each version runs, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.4, allow_negative_numbers = true,
          value_parser = seconds)]
    pub seconds: f64,

    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub json: bool,
}

const AFTER: &str = "\
Below each table its columns are explained. A race shows only if threads meet at the right moment, so a zero
for an old version proves nothing. The models in tests/loom_aio.rs and tests/loom_aio_remap.rs try the
moments one by one.

Exit codes: 0 all went as expected; 1 a version that is meant to hold did not; 2 bad input; 130 ended by
Ctrl-C, with the tables so far.";

/// A system, as the user calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SystemName {
    /// Ring pages that are moved while they are in use.
    Ring,
    /// Requests that are retried when they are woken.
    Retry,
    /// A ring whose owner moves it while its context is destroyed.
    Remap,
    /// The same on the kernel of this machine, if that is Linux and permits AIO.
    Live,
}

impl SystemName {
    fn system(self) -> System {
        match self {
            Self::Ring => ring::system(),
            Self::Retry => retry::system(),
            Self::Remap => remap::system(),
            Self::Live => live::system(),
        }
    }
}

impl Options {
    /// For each version.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// The systems to run, each once and in the usual order.
    pub fn systems(&self) -> Vec<System> {
        let all = SystemName::value_variants().iter();
        all.filter(|system| self.only.is_empty() || self.only.contains(system))
            .map(|system| system.system())
            .collect()
    }
}
