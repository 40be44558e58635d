//! Four charts: the rates of faults and direct writes under each policy, and how long they took.

use std::fs;
use std::path::Path;

use crate::drawing::{Anchor, Colour, Drawing, GRID, INK, OTHERS, OURS, Stroke, UNSOUND};
use crate::outcome::{Latency, Outcome};
use crate::terminal::{counted, latency, short};
use crate::workload::Workload;

const WIDTH: f64 = 1140.0;
/// Of one policy.
const ROW: f64 = 42.0;
/// Above the first policy of a chart.
const HEAD: f64 = 50.0;
/// Below the last one, with the labels of an axis.
const FOOT: f64 = 44.0;
const TITLE: f64 = 50.0;
const LEGEND: f64 = 50.0;
/// Where the charts of rates begin, and those of latencies.
const COLUMNS: [f64; 2] = [190.0, 640.0];
/// Of a chart, without the label after a bar.
const CHART: f64 = 300.0;

/// Finds out early whether the plot can be written at the end.
pub fn try_path(path: &Path) -> Result<(), String> {
    fs::File::options()
        .create(true)
        .append(true)
        .open(path)
        .map(|_| ())
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

pub fn draw(path: &Path, workload: &Workload, outcomes: &[Outcome]) -> Result<(), String> {
    fs::write(path, svg(workload, outcomes))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn svg(workload: &Workload, outcomes: &[Outcome]) -> String {
    let part = HEAD + ROW * outcomes.len() as f64 + FOOT;
    let height = TITLE + 2.0 * part + LEGEND;
    let mut plot = Plot {
        drawing: Drawing::new(WIDTH, height),
        outcomes,
    };
    let readers = counted(workload.threads.into(), "thread");
    let writers = counted(workload.writers.into(), "writer");
    let range = counted(workload.blocks.range, "page");
    let title = format!(
        "{}: read by {readers}, rewritten by {writers}, {range} at a time",
        workload.name
    );
    plot.drawing
        .text((20.0, TITLE / 2.0), 19.0, Anchor::Start, &title);

    let top = TITLE;
    plot.names(top);
    let faults = |outcome: &Outcome| outcome.total.rates().faults;
    plot.rates(
        top,
        "How many faults were served each second?",
        faults,
        None,
    );
    plot.latencies(top, "How long did a fault take?", |outcome| {
        &outcome.total.faults.latency
    });

    let top = TITLE + part;
    plot.names(top);
    let writes = |outcome: &Outcome| outcome.total.rates().writes;
    let title = "How many direct writes got through each second?";
    plot.rates(top, title, writes, workload.wanted());
    plot.latencies(top, "How long did a direct write take?", |outcome| {
        &outcome.total.writes.latency
    });

    plot.legend(height - LEGEND / 2.0);
    plot.drawing.finish()
}

struct Plot<'a> {
    drawing: Drawing,
    outcomes: &'a [Outcome],
}

impl<'a> Plot<'a> {
    /// The policies with the middle of each one's row.
    fn rows(&self, top: f64) -> impl Iterator<Item = (&'a Outcome, f64)> + use<'a> {
        let middle = move |row| top + HEAD + ROW * (row as f64 + 0.5);
        let outcomes = self.outcomes.iter().enumerate();
        outcomes.map(move |(row, outcome)| (outcome, middle(row)))
    }

    fn bottom(&self, top: f64) -> f64 {
        top + HEAD + ROW * self.outcomes.len() as f64
    }

    /// The labels to the left of both charts.
    fn names(&mut self, top: f64) {
        for (outcome, middle) in self.rows(top) {
            let right = COLUMNS[0] - 12.0;
            let name = outcome.policy.name();
            self.drawing
                .text((right, middle - 8.0), 15.0, Anchor::End, name);
            let what = match outcome.policy.is_sound() {
                true => outcome.policy.in_short().to_owned(),
                false => {
                    let stale = outcome.total.faults.stale_reads;
                    format!("unsound: {}", counted(stale, "stale read"))
                }
            };
            self.drawing
                .text((right, middle + 9.0), 12.0, Anchor::End, &what);
        }
    }

    /// A bar for each policy, and a line where all of them would end if nothing held them up.
    fn rates(
        &mut self,
        top: f64,
        title: &str,
        rate: impl Fn(&Outcome) -> f64,
        wanted: Option<f64>,
    ) {
        let left = COLUMNS[0];
        self.drawing
            .text((left, top + 18.0), 16.0, Anchor::Start, title);
        let rates = self.outcomes.iter().map(&rate);
        let most = rates.chain(wanted).fold(1e-9, f64::max);
        let end = |rate: f64| left + rate / most * CHART;
        let (upper, lower) = (top + HEAD, self.bottom(top));
        if let Some(wanted) = wanted {
            let x = end(wanted);
            self.drawing
                .line(&[(x, upper), (x, lower)], Stroke::solid(GRID, 2.0));
            let label = format!("wanted: {}", short(wanted));
            self.drawing
                .text((x, lower + 12.0), 12.0, Anchor::Middle, &label);
        }
        for (outcome, middle) in self.rows(top) {
            let right = end(rate(outcome)).max(left + 1.0);
            self.bar(outcome, (left, middle), right - left);
            let label = short(rate(outcome));
            self.drawing
                .text((right + 8.0, middle), 14.0, Anchor::Start, &label);
        }
        self.drawing
            .line(&[(left, upper), (left, lower)], Stroke::solid(INK, 1.0));
    }

    fn bar(&mut self, outcome: &Outcome, (left, middle): (f64, f64), length: f64) {
        let corners = ((left, middle - 13.0), (left + length, middle + 13.0));
        match outcome.policy.is_sound() {
            true => self.drawing.bar(corners.0, corners.1, colour(outcome)),
            false => self
                .drawing
                .outline(corners.0, corners.1, Stroke::dashed(UNSOUND, 1.0)),
        }
    }

    /// For each policy a dot at the median and a line to what one call in a thousand exceeds.
    fn latencies(&mut self, top: f64, title: &str, latencies: impl Fn(&'a Outcome) -> &'a Latency) {
        let left = COLUMNS[1];
        self.drawing
            .text((left, top + 18.0), 16.0, Anchor::Start, title);
        let key = "from the median (dot) to what one in a thousand exceeds";
        self.drawing
            .text((left, top + 38.0), 12.0, Anchor::Start, key);
        let measured: Vec<_> = self
            .rows(top)
            .map(|(outcome, middle)| (outcome, middle, latencies(outcome)))
            .filter(|(.., latency)| !latency.is_empty())
            .collect();
        let least = measured.iter().map(|(.., latency)| latency.p50()).min();
        let most = measured.iter().map(|(.., latency)| latency.p99_9()).max();
        let (Some(least), Some(most)) = (least, most) else {
            return;
        };
        // Whole decades that hold everything.
        let first = least.max(1).ilog10();
        let decades = most.max(1).ilog10() + 1 - first;
        let place = |nanoseconds: u64| {
            let decade = (nanoseconds.max(1) as f64).log10() - f64::from(first);
            left + decade / f64::from(decades) * CHART
        };
        let (upper, lower) = (top + HEAD, self.bottom(top));
        for decade in first..=first + decades {
            let tick = 10_u64.pow(decade);
            let x = place(tick);
            self.drawing
                .line(&[(x, upper), (x, lower)], Stroke::solid(GRID, 1.0));
            let label = latency(tick).replace(".0", "");
            self.drawing
                .text((x, lower + 12.0), 12.0, Anchor::Middle, &label);
        }
        for (outcome, middle, took) in measured {
            let (p50, p99_9) = (took.p50(), took.p99_9());
            let (dot, end) = (place(p50), place(p99_9));
            let colour = colour(outcome);
            let stroke = match outcome.policy.is_sound() {
                true => Stroke::solid(colour, 3.0),
                false => Stroke::dashed(colour, 2.0),
            };
            self.drawing.line(&[(dot, middle), (end, middle)], stroke);
            let mark = [(end, middle - 8.0), (end, middle + 8.0)];
            self.drawing.line(&mark, Stroke::solid(colour, 3.0));
            self.drawing.disc((dot, middle), 6.0, colour);
            let label = format!("{} / {}", latency(p50), latency(p99_9));
            let behind = left + CHART + 14.0;
            self.drawing
                .text((behind, middle), 14.0, Anchor::Start, &label);
        }
    }

    fn legend(&mut self, middle: f64) {
        let mut left = COLUMNS[0];
        for (colour, text) in [
            (OURS, "this crate"),
            (OTHERS[0], "other sound policies"),
            (UNSOUND, "unsound: can serve stale data"),
        ] {
            let corners = ((left, middle - 8.0), (left + 26.0, middle + 8.0));
            match colour {
                UNSOUND => self
                    .drawing
                    .outline(corners.0, corners.1, Stroke::dashed(colour, 1.0)),
                colour => self.drawing.bar(corners.0, corners.1, colour),
            }
            self.drawing
                .text((left + 36.0, middle), 14.0, Anchor::Start, text);
            left += 220.0;
        }
    }
}

fn colour(outcome: &Outcome) -> Colour {
    match (outcome.policy.is_sound(), outcome.policy.is_ours()) {
        (false, _) => UNSOUND,
        (true, true) => OURS,
        (true, false) => OTHERS[0],
    }
}
