//! What the programs of this package share at a terminal: complaints, output, progress, Ctrl-C and exit
//! codes, and how they write and read figures.
//!
//! Each program includes this file by its path; the library needs none of it.
#![allow(dead_code, reason = "no program needs all of it")]

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Exit code: something that should hold did not.
pub const EXIT_FAILED: u8 = 1;
/// Exit code: bad input, or the machine has no room for what was asked.
pub const EXIT_USAGE: u8 = 2;
/// Exit code: what a shell reports for a program that Ctrl-C has ended.
pub const EXIT_INTERRUPTED: u8 = 130;

/// Says in one line what is wrong, and returns the exit code for it.
pub fn complain(program: &str, trouble: &str) -> ExitCode {
    eprintln!("{program}: {trouble}");
    ExitCode::from(EXIT_USAGE)
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether Ctrl-C was pressed: stop, and show what there is.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Relaxed)
}

/// From here on Ctrl-C only sets [`interrupted`].
pub fn listen_for_ctrl_c() -> Result<(), String> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Relaxed))
        .map_err(|error| format!("cannot listen for Ctrl-C: {error}"))
}

/// Prints to standard output. A reader that has closed it is not an error.
pub fn print(text: &str) -> Result<(), String> {
    let mut output = std::io::stdout().lock();
    let written = output.write_all(text.as_bytes());
    match written.and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write the report: {error}"))
        }
        _ => Ok(()),
    }
}

/// What is wrong with a command line, in one line: the error, the possible values, and a tip if there is
/// one.
pub fn in_one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let paragraphs: Vec<String> = text
        .trim_start_matches("error: ")
        .split("\n\n")
        .take_while(|paragraph| !paragraph.starts_with("Usage:"))
        .filter(|paragraph| !paragraph.starts_with("For more information"))
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    format!("{} (see --help)", paragraphs.join("; "))
}

/// A bar that is full after `total`. It counts microseconds.
pub fn progress(total: Duration) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:33} [{bar:30}] {percent:>3}%  {eta} left")
        .expect("the template is well formed")
        .progress_chars("=> ");
    ProgressBar::new(total.as_micros() as u64).with_style(style)
}

/// A number of seconds. At most a day.
pub fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.01..=86_400.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("must lie between 0.01 and 86400".to_owned())
    }
}

/// A number and its unit: `us`, `ms` or `s`. At most 10 s.
pub fn time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic());
    let number: f64 = digits
        .parse()
        .map_err(|_| "not a time such as 200us, 1ms or 0".to_owned())?;
    let seconds = match &text[digits.len()..] {
        "us" | "µs" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "" if number == 0.0 => 0.0,
        "" => return Err("needs a unit: us, ms or s".to_owned()),
        unit => return Err(format!("unknown unit {unit}: use us, ms or s")),
    };
    if (0.0..=10.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("must lie between 0 and 10s".to_owned())
    }
}

/// One thing, or several.
pub fn counted(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// Three digits or so.
pub fn short(number: f64) -> String {
    match number {
        1e6.. => format!("{:.2} M", number / 1e6),
        1e3.. => format!("{:.1} k", number / 1e3),
        _ => format!("{number:.0}"),
    }
}

/// Two digits or three.
pub fn latency(nanoseconds: u64) -> String {
    let (number, unit) = match nanoseconds {
        0..1_000 => return format!("{nanoseconds} ns"),
        1_000..1_000_000 => (nanoseconds as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (nanoseconds as f64 / 1e6, "ms"),
        _ => (nanoseconds as f64 / 1e9, "s"),
    };
    match number {
        ..9.95 => format!("{number:.1} {unit}"),
        _ => format!("{number:.0} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_two_digits_or_three() {
        let figures = [0.0, 7.4, 999.0, 1234.0, 999_940.0, 1_234_567.0].map(short);
        assert_eq!(figures, ["0", "7", "999", "1.2 k", "999.9 k", "1.23 M"]);
    }

    #[test]
    fn latencies_have_the_unit_that_suits_them() {
        let latencies = [
            0,
            999,
            1_000,
            9_949,
            9_950,
            314_159,
            2_000_000,
            60_000_000_000,
        ];
        let told = [
            "0 ns", "999 ns", "1.0 µs", "9.9 µs", "10 µs", "314 µs", "2.0 ms", "60 s",
        ];
        assert_eq!(latencies.map(latency), told);
    }

    #[test]
    fn times_need_a_number_and_a_unit_and_are_not_too_long() {
        assert_eq!(time("50us"), Ok(Duration::from_micros(50)));
        assert_eq!(time("1.5ms"), Ok(Duration::from_micros(1500)));
        assert_eq!(time("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(time("0"), Ok(Duration::ZERO));
        for wrong in ["", "us", "5", "5m", "-1ms", "11s", "nan", "infs"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn seconds_are_a_number_between_a_moment_and_a_day() {
        assert_eq!(seconds("0.01"), Ok(0.01));
        assert_eq!(seconds("86400"), Ok(86_400.0));
        for wrong in ["", "0", "-1", "1s", "nan", "86401", "inf"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_command_line_is_reported_in_one_line() {
        let command =
            || clap::Command::new("it").arg(clap::arg!(--kind <KIND>).value_parser(["a", "b"]));
        let told = |argument| {
            in_one_line(
                &command()
                    .try_get_matches_from(["it", argument])
                    .unwrap_err(),
            )
        };
        assert_eq!(
            told("--kind=c"),
            "invalid value 'c' for '--kind <KIND>' [possible values: a, b] (see --help)"
        );
        let tip = "unexpected argument '--kin' found; tip: a similar argument exists: '--kind' (see --help)";
        assert_eq!(told("--kin"), tip);
    }
}
