//! Page faults under fire: threads read memory whose pages a pager loads from a file, while another
//! invalidates and changes them. Every old page that is read after it has been replaced is counted. Five ways
//! to keep that from happening take turns.
//!
//! ```text
//! cargo run --release -p seqschedlock-pager -- FILE
//! ```
//!
//! `FILE` is never changed: a copy is used, in an unnamed file that is gone when this ends.

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
