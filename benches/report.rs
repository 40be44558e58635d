//! Plots of the figures that the benchmarks left in `target/benchmarks`, for `docs/benchmarks/`.
//!
//! ```text
//! cargo bench --workspace --all-features
//! cargo run --release --all-features --example report
//! ```

#[path = "report/axis.rs"]
mod axis;
#[path = "report/chart.rs"]
mod chart;
#[path = "bench/drawing.rs"]
mod drawing;
#[path = "report/look.rs"]
mod look;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chart::{Chart, Line, Measured, SIZE, Scale};
use clap::Parser;
use drawing::Drawing;
use serde_json::Value;

/// Draws the figures of the last `cargo bench --workspace --all-features`.
#[derive(Parser)]
#[command(name = "report")]
struct Options {
    /// Where the benchmarks left their figures.
    #[arg(long, default_value = "target/benchmarks")]
    figures: PathBuf,
    /// Where the plots go.
    #[arg(long, default_value = "docs/benchmarks")]
    plots: PathBuf,
}

/// One bench's figures, an object per line.
fn read(options: &Options, bench: &str) -> Result<Vec<Value>, Box<dyn Error>> {
    let path = options.figures.join(bench).with_extension("json");
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}; run `cargo bench` first", path.display()))?;
    text.lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect()
}

/// A line for each contender, from the figures that `x` and `y` find something in.
fn lines<'a>(
    figures: impl IntoIterator<Item = &'a Value>,
    x: impl Fn(&Value) -> Option<f64>,
    y: impl Fn(&Value) -> Option<Height>,
) -> Vec<Line> {
    let mut lines = BTreeMap::<String, Vec<Measured>>::new();
    for figures in figures {
        if let (Some(x), Some(y), Some(name)) =
            (x(figures), y(figures), figures["contender"].as_str())
        {
            let Height { y, between } = y;
            let points = lines.entry(name.to_owned()).or_default();
            points.push(Measured { x, y, between });
        }
    }
    for points in lines.values_mut() {
        points.sort_by(|a, b| f64::total_cmp(&a.x, &b.x));
    }
    let line = |(name, points)| Line { name, points };
    lines.into_iter().map(line).collect()
}

/// A figure with the lowest and the highest round, if they are known.
struct Height {
    y: f64,
    between: Option<(f64, f64)>,
}

/// The field of this name in multiples of `unit`, with `_min` and `_max` beside it if they are
/// there.
fn height(figures: &Value, field: &str, unit: f64) -> Option<Height> {
    let number = |field: &str| figures[field].as_f64().map(|number| number / unit);
    let lowest = number(&format!("{field}_min"));
    Some(Height {
        y: number(field)?,
        between: lowest.zip(number(&format!("{field}_max"))),
    })
}

/// Charts side by side.
fn plot(path: &Path, charts: &[(Chart<'_>, Vec<Line>)]) -> Result<(), Box<dyn Error>> {
    let (width, height) = SIZE;
    let mut drawing = Drawing::new(width * charts.len() as f64, height);
    for (nth, (chart, lines)) in charts.iter().enumerate() {
        chart.draw(&mut drawing, width * nth as f64, lines);
    }
    fs::write(path, drawing.finish()).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{}", path.display());
    Ok(())
}

/// The cadences of `scale`, faster ones further right.
const CADENCES: [(u64, &str); 4] = [(0, "none"), (1_000, "1 ms"), (10, "10 µs"), (1, "1 µs")];

fn cadence(figures: &Value) -> Option<f64> {
    let every = figures["every_us"].as_u64().unwrap_or(0);
    place(&CADENCES.map(|cadence| cadence.0), every)
}

fn place<T: PartialEq>(places: &[T], it: T) -> Option<f64> {
    let place = places.iter().position(|known| *known == it)?;
    Some(place as f64)
}

fn scale(options: &Options) -> Result<(), Box<dyn Error>> {
    let figures = read(options, "scale")?;
    let reads = |figures: &Value| height(figures, "reads_per_second", 1e6);
    let alone = figures.iter().filter(|line| line["every_us"].is_null());
    plot(
        &options.plots.join("readers.svg"),
        &[(
            Chart {
                title: "Do more readers read more?",
                x: "readers, no writer",
                y: "reads/s, millions",
                places: &[],
                scale: Scale::Linear,
            },
            lines(alone, |line| line["readers"].as_f64(), reads),
        )],
    )?;

    let beside = || {
        figures
            .iter()
            .filter(|line| line["readers"] == 1 && line["holds"] == false)
    };
    let places = CADENCES.map(|cadence| cadence.1);
    plot(
        &options.plots.join("writer-rate.svg"),
        &[
            (
                Chart {
                    title: "What does a writer cost one reader?",
                    x: "a write every",
                    y: "reads/s, millions",
                    places: &places,
                    scale: Scale::Linear,
                },
                lines(beside(), cadence, reads),
            ),
            (
                Chart {
                    title: "Does the writer get to write as often as it wants?",
                    x: "a write every",
                    y: "writes, in % of those wanted (not from zero)",
                    places: &places,
                    scale: Scale::Close,
                },
                lines(beside(), cadence, |line| height(line, "cadence_kept", 0.01)),
            ),
        ],
    )
}

fn wake(options: &Options) -> Result<(), Box<dyn Error>> {
    let figures = read(options, "wake")?;
    const QUANTILES: [(&str, &str); 3] = [
        ("p50_us", "half are faster"),
        ("p99_us", "99 % are faster"),
        ("p99_9_us", "99.9 % are faster"),
    ];
    let mut latencies = Vec::<Line>::new();
    for (nth, (field, _)) in QUANTILES.iter().enumerate() {
        let at = |_: &Value| Some(nth as f64);
        for line in lines(&figures, at, |line| height(line, field, 1.0)) {
            match latencies.iter_mut().find(|known| known.name == line.name) {
                Some(known) => known.points.extend(line.points),
                None => latencies.push(line),
            }
        }
    }
    plot(
        &options.plots.join("wake.svg"),
        &[(
            Chart {
                title: "How soon does a blocked reader run again?",
                x: "",
                y: "µs after the last writer has left",
                places: &QUANTILES.map(|quantile| quantile.1),
                scale: Scale::Logarithmic,
            },
            latencies,
        )],
    )
}

/// The invalidators of `fault` that sleep: how many pages they invalidate with one call, how long they
/// sleep in each, and how long between calls, in microseconds. Then the labels under them.
type Pace = (u64, u64, u64);
const PACES: [(Option<Pace>, &str); 5] = [
    (None, "nobody"),
    (Some((1, 100, 0)), "1 page,\n0.1 ms in it"),
    (
        Some((1, 1_000, 1_000)),
        "1 page, 1 ms in it,\nthen rests 1 ms",
    ),
    (Some((1, 1_000, 0)), "1 page,\n1 ms in it"),
    (Some((16, 1_000, 0)), "16 pages,\n1 ms in each"),
];

fn pace(figures: &Value) -> Option<f64> {
    let how = &figures["invalidator"];
    let field = |field: &str| how[field].as_u64();
    let pace = match how {
        Value::Null => None,
        _ => Some((field("range")?, field("hold_us")?, field("between_us")?)),
    };
    place(&PACES.map(|pace| pace.0), pace)
}

fn fault(options: &Options) -> Result<(), Box<dyn Error>> {
    let figures = read(options, "fault")?;
    let number = |figures: &Value, field: &str| figures[field].as_u64();
    let of = |field| move |figures: &Value| number(figures, field);
    let most = figures.iter().filter_map(of("threads")).max();
    let many = figures.iter().filter_map(of("pages")).max();
    let busiest = || (figures.iter()).filter(|figures| number(figures, "threads") == most);
    let on_many = || busiest().filter(|figures| number(figures, "pages") == many);
    let faults = |figures: &Value| height(figures, "faults_per_second", 1e6);
    let places = PACES.map(|pace| pace.1);
    let beside = "what one call invalidates, and how long it sleeps there";
    let threads = most.unwrap_or_default();
    plot(
        &options.plots.join("faults.svg"),
        &[(
            Chart {
                title: "How many faults are served while pages are invalidated?",
                x: beside,
                y: &format!("faults/s of {threads} threads, millions"),
                places: &places,
                scale: Scale::Linear,
            },
            lines(on_many(), pace, faults),
        )],
    )?;
    plot(
        &options.plots.join("invalidations.svg"),
        &[
            (
                Chart {
                    title: "How many invalidations get through beside the faults?",
                    x: beside,
                    y: "invalidations/s",
                    places: &places,
                    scale: Scale::Logarithmic,
                },
                lines(on_many(), pace, |figures| {
                    height(&figures["invalidator"], "invalidations_per_second", 1.0)
                }),
            ),
            (
                Chart {
                    title: "How long does the slowest invalidation in a thousand take?",
                    x: beside,
                    y: "ms",
                    places: &places,
                    scale: Scale::Logarithmic,
                },
                lines(on_many(), pace, |figures| {
                    height(&figures["invalidator"], "p99_9_ns", 1e6)
                }),
            ),
        ],
    )?;

    let mut hot: Vec<u64> = busiest().filter_map(of("pages")).collect();
    hot.sort_unstable();
    hot.dedup();
    hot.pop(); // many
    let names: Vec<String> = hot.iter().map(u64::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let alone = busiest().filter(|figures| figures["invalidator"].is_null());
    plot(
        &options.plots.join("hot-pages.svg"),
        &[(
            Chart {
                title: "Do faults on the same page hold one another up?",
                x: "pages that all threads fault, without an invalidator",
                y: &format!("faults/s of {threads} threads, millions"),
                places: &names,
                scale: Scale::Linear,
            },
            lines(
                alone,
                |figures| place(&hot, number(figures, "pages")?),
                faults,
            ),
        )],
    )
}

fn main() -> ExitCode {
    let options = Options::parse();
    let drawn = fs::create_dir_all(&options.plots)
        .map_err(Into::into)
        .and_then(|()| scale(&options))
        .and_then(|()| wake(&options))
        .and_then(|()| fault(&options));
    match drawn {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("report: {error}");
            ExitCode::from(2)
        }
    }
}
