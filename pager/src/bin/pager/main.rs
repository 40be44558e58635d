//! Threads read memory whose pages a pager loads from a file, while another thread invalidates and changes the
//! pages. The program counts reads of old pages under five policies, which take turns.
//!
//! ```text
//! cargo run --release -p seqschedlock-pager -- FILE
//! ```
//!
//! `FILE` is never changed. The program works on a copy, in an unnamed file that is gone when it ends.

#[cfg(target_os = "linux")]
mod program;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    program::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("pager: this needs userfaultfd, which only Linux has");
    ExitCode::from(2)
}
