//! Plots of the figures that the benches have left in `target/benchmarks`, for `docs/benchmarks/`.
//!
//! ```text
//! cargo bench --all-features
//! cargo run --release --all-features --example report
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use plotters::coord::Shift;
use plotters::prelude::*;
use serde_json::Value;

/// Draws the figures of the last `cargo bench --all-features`.
#[derive(Parser)]
#[command(name = "report")]
struct Options {
    /// Where the benches have left their figures.
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

fn number(figures: &Value, field: &str) -> Option<f64> {
    figures[field].as_f64()
}

/// A line for each contender.
type Series = BTreeMap<String, Vec<(f64, f64)>>;

fn series<'a>(
    lines: impl IntoIterator<Item = &'a Value>,
    x: impl Fn(&Value) -> Option<f64>,
    y: impl Fn(&Value) -> Option<f64>,
) -> Series {
    let mut series = Series::new();
    for line in lines {
        if let (Some(x), Some(y), Some(name)) = (x(line), y(line), line["contender"].as_str()) {
            series.entry(name.to_owned()).or_default().push((x, y));
        }
    }
    series
}

/// What a chart says around its lines.
struct Chart<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
    /// What is written under each x, if these are places rather than numbers.
    places: &'a [&'a str],
    /// Whether each line across is ten times the one below.
    logarithmic: bool,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

impl Chart<'_> {
    /// Lines with dots, from zero up (or from one, if logarithmic).
    fn draw(&self, area: &Area<'_>, series: &Series) -> Result<(), Box<dyn Error>> {
        let height = |y: f64| {
            if self.logarithmic {
                y.max(1.0).log10()
            } else {
                y
            }
        };
        let points = || series.values().flatten();
        let highest = points().map(|point| height(point.1)).fold(0.0, f64::max) * 1.05;
        let (first, last) = points().fold((f64::MAX, f64::MIN), |(first, last), &(x, _)| {
            (first.min(x), last.max(x))
        });
        let margin = 0.05 * (last - first).max(1.0);

        let mut chart = ChartBuilder::on(area)
            .caption(self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(64)
            .build_cartesian_2d(first - margin..last + margin, 0.0..highest.max(1e-9))?;
        let place = |x: &f64| match self.places.get(x.round().max(0.0) as usize) {
            Some(place) if (x - x.round()).abs() < 1e-6 => (*place).to_owned(),
            Some(_) => String::new(),
            None if self.places.is_empty() => format!("{x:.0}"),
            None => String::new(),
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .y_label_formatter(&|y| match self.logarithmic {
                true => format!("{:.0}", 10_f64.powf(*y)),
                false => format!("{y:.0}"),
            })
            .x_labels(if self.places.is_empty() {
                (last - first) as usize + 1
            } else {
                9
            })
            .x_label_formatter(&place)
            .x_desc(self.x)
            .y_desc(self.y)
            .draw()?;
        for (position, (name, points)) in series.iter().enumerate() {
            let color = Palette99::pick(position).stroke_width(2);
            chart
                .draw_series(
                    LineSeries::new(points.iter().map(|&(x, y)| (x, height(y))), color)
                        .point_size(3),
                )?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.2))
            .draw()?;
        Ok(())
    }
}

fn plot(path: &Path, charts: &[(Chart<'_>, Series)]) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(path, (620 * charts.len() as u32, 440)).into_drawing_area();
    area.fill(&WHITE)?;
    for (part, (chart, series)) in area.split_evenly((1, charts.len())).iter().zip(charts) {
        chart.draw(part, series)?;
    }
    area.present()?;
    println!("{}", path.display());
    Ok(())
}

/// The position of a cadence among those that `scale` has: the faster the further right.
const CADENCES: [(u64, &str); 4] = [(0, "none"), (1_000, "1 ms"), (10, "10 µs"), (1, "1 µs")];

fn cadence(line: &Value) -> Option<f64> {
    let every = line["every_us"].as_u64().unwrap_or(0);
    CADENCES
        .iter()
        .position(|cadence| cadence.0 == every)
        .map(|position| position as f64)
}

fn scale(options: &Options) -> Result<(), Box<dyn Error>> {
    let lines = read(options, "scale")?;
    let reads = |line: &Value| number(line, "reads_per_second").map(|reads| reads / 1e6);
    let alone = lines.iter().filter(|line| line["every_us"].is_null());
    plot(
        &options.plots.join("readers.svg"),
        &[(
            Chart {
                title: "no writer",
                x: "readers",
                y: "reads/s, millions",
                places: &[],
                logarithmic: false,
            },
            series(alone, |line| number(line, "readers"), reads),
        )],
    )?;

    let beside = || {
        lines
            .iter()
            .filter(|line| line["readers"] == 1 && line["holds"] == false)
    };
    let names = CADENCES.map(|cadence| cadence.1);
    let kept = |line: &Value| number(line, "cadence_kept").map(|kept| 100.0 * kept);
    plot(
        &options.plots.join("writer-rate.svg"),
        &[
            (
                Chart {
                    title: "one reader",
                    x: "a write every",
                    y: "reads/s, millions",
                    places: &names,
                    logarithmic: false,
                },
                series(beside(), cadence, reads),
            ),
            (
                Chart {
                    title: "its writer",
                    x: "a write every",
                    y: "cadence kept, %",
                    places: &names,
                    logarithmic: false,
                },
                series(beside(), cadence, kept),
            ),
        ],
    )
}

fn wake(options: &Options) -> Result<(), Box<dyn Error>> {
    let lines = read(options, "wake")?;
    const QUANTILES: [&str; 3] = ["p50", "p99", "p99.9"];
    const FIELDS: [&str; 3] = ["p50_us", "p99_us", "p99_9_us"];
    let mut latencies = Series::new();
    for (position, field) in FIELDS.iter().enumerate() {
        let at = series(
            &lines,
            |_| Some(position as f64),
            |line| number(line, field),
        );
        for (name, points) in at {
            latencies.entry(name).or_default().extend(points);
        }
    }
    plot(
        &options.plots.join("wake.svg"),
        &[(
            Chart {
                title: "last writer out to reader running",
                x: "",
                y: "µs",
                places: &QUANTILES,
                logarithmic: true,
            },
            latencies,
        )],
    )
}

fn fault(options: &Options) -> Result<(), Box<dyn Error>> {
    let lines = read(options, "fault")?;
    let mut holds: Vec<u64> = lines
        .iter()
        .filter_map(|line| line["hold_us"].as_u64())
        .collect();
    holds.sort_unstable();
    holds.dedup();
    let names: Vec<String> = holds.iter().map(|hold| format!("{hold} µs")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hold = |line: &Value| {
        let hold = line["hold_us"].as_u64()?;
        holds
            .iter()
            .position(|known| *known == hold)
            .map(|position| position as f64)
    };
    let most = lines
        .iter()
        .filter_map(|line| line["threads"].as_u64())
        .max();
    let busiest = lines.iter().filter(|line| {
        // One page at a time, at once again; or none at all.
        line["threads"].as_u64() == most && line["range"].as_u64() < Some(2) && {
            line["between_us"].is_null() || line["between_us"] == 0
        }
    });
    plot(
        &options.plots.join("faults.svg"),
        &[(
            Chart {
                title: "page faults beside an invalidator",
                x: "which sleeps in its section for",
                y: "faults/s, thousands",
                places: &names,
                logarithmic: false,
            },
            series(busiest, hold, |line| {
                number(line, "faults_per_second").map(|faults| faults / 1e3)
            }),
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
