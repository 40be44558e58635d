//! The story of `remap` once more, on the kernel of this machine.

use seqschedlock_sim::aio::remap::Tally;

use crate::clock::Clock;
use crate::remap;
use crate::system::{Contender, System};

pub fn system() -> System {
    System {
        name: "live",
        title: format!("live: the same on the kernel of this machine, {}", kernel()),
        columns: remap::COLUMNS,
        contenders: vec![Contender {
            name: "this kernel".to_owned(),
            sound: true,
            work: Box::new(|clock| Ok(remap::count(&play(clock)?))),
        }],
    }
}

#[cfg(target_os = "linux")]
fn play(clock: &Clock) -> Result<Tally, String> {
    use seqschedlock_sim::aio::remap::live::mover_against_destroyer;
    mover_against_destroyer(|_| clock.goes_on()).map_err(|skip| skip.to_string())
}

#[cfg(not(target_os = "linux"))]
fn play(_: &Clock) -> Result<Tally, String> {
    Err("only Linux has it".to_owned())
}

/// Its name and release.
fn kernel() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease");
    match release {
        Ok(release) => format!("Linux {}", release.trim()),
        Err(_) => std::env::consts::OS.to_owned(),
    }
}
