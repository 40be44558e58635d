//! Printing, as any program of this package does it.

use std::io::{ErrorKind, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that is full after `total`.
pub fn progress(total: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:28} [{bar:40}] {percent:>3}%  {eta} left")
        .expect("the template is well formed")
        .progress_chars("=> ");
    ProgressBar::new(total.as_millis() as u64).with_style(style)
}

/// Prints a report. A reader that has stopped reading is fine.
pub fn print(report: &str) -> Result<(), String> {
    let mut output = std::io::stdout().lock();
    match output
        .write_all(report.as_bytes())
        .and_then(|()| output.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write the report: {error}"))
        }
        _ => Ok(()),
    }
}

/// What is wrong with a command line, without the advice around it.
pub fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    format!("{} (see --help)", line.trim_start_matches("error: "))
}

/// A number with about three digits.
pub fn short(number: f64) -> String {
    match number {
        1e6.. => format!("{:.2} M", number / 1e6),
        1e3.. => format!("{:.1} k", number / 1e3),
        _ => format!("{number:.0}"),
    }
}
