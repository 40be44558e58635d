//! Four charts: what faults and direct writes got under each policy, and how long they took.

use std::error::Error;
use std::fs;
use std::path::Path;

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::look::{GRID, INK, OTHERS, OURS, UNSOUND};
use crate::outcome::{Latency, Outcome};
use crate::terminal::{counted, latency, short};
use crate::workload::Workload;

const WIDTH: i32 = 1140;
/// Of one policy.
const ROW: i32 = 42;
/// Above the first policy of a chart.
const HEAD: i32 = 50;
/// Between the charts of readers and those of writers, with the labels of an axis.
const FOOT: i32 = 44;
const TITLE: i32 = 50;
const LEGEND: i32 = 50;
/// Where the charts of rates begin, and those of latencies.
const COLUMNS: [i32; 2] = [190, 640];
/// Of a chart, without what is written behind a bar.
const CHART: i32 = 300;

/// Finds out now whether the plot can be written in the end.
pub fn try_path(path: &Path) -> Result<(), String> {
    fs::File::options()
        .create(true)
        .append(true)
        .open(path)
        .map(|_| ())
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

pub fn draw(path: &Path, workload: &Workload, outcomes: &[Outcome]) -> Result<(), String> {
    svg(workload, outcomes)
        .and_then(|svg| Ok(fs::write(path, svg)?))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn svg(workload: &Workload, outcomes: &[Outcome]) -> Result<String, Box<dyn Error>> {
    let part = HEAD + ROW * outcomes.len() as i32 + FOOT;
    let height = TITLE + 2 * part + LEGEND;
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (WIDTH as u32, height as u32));
        let canvas = Canvas {
            area: area.into_drawing_area(),
            outcomes,
        };
        canvas.area.fill(&WHITE)?;
        let readers = counted(workload.threads.into(), "thread");
        let writers = counted(workload.writers.into(), "writer");
        let range = counted(workload.blocks.range, "page");
        let title = format!(
            "{}: read by {readers}, rewritten by {writers}, {range} at a time",
            workload.name
        );
        canvas.write((20, TITLE / 2), &title, 19, HPos::Left)?;

        let top = TITLE;
        canvas.names(top)?;
        let faults = |outcome: &Outcome| outcome.total.rates().faults;
        canvas.rates(
            top,
            "How many faults were served each second?",
            faults,
            None,
        )?;
        canvas.latencies(top, "How long did a fault take?", |outcome| {
            &outcome.total.faults.latency
        })?;

        let top = TITLE + part;
        canvas.names(top)?;
        let writes = |outcome: &Outcome| outcome.total.rates().writes;
        let title = "How many direct writes got through each second?";
        canvas.rates(top, title, writes, workload.wanted())?;
        canvas.latencies(top, "How long did a direct write take?", |outcome| {
            &outcome.total.writes.latency
        })?;

        canvas.legend(height - LEGEND / 2)?;
        canvas.area.present()?;
    }
    Ok(text)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

struct Canvas<'a> {
    area: Area<'a>,
    outcomes: &'a [Outcome],
}

impl Canvas<'_> {
    /// The policies with the middle of each one's row.
    fn rows(&self, top: i32) -> impl Iterator<Item = (&Outcome, i32)> {
        let middle = move |row| top + HEAD + ROW * row as i32 + ROW / 2;
        (self.outcomes.iter().enumerate()).map(move |(row, outcome)| (outcome, middle(row)))
    }

    /// What stands to the left of both charts.
    fn names(&self, top: i32) -> Result<(), Box<dyn Error>> {
        for (outcome, middle) in self.rows(top) {
            let right = COLUMNS[0] - 12;
            self.write((right, middle - 8), outcome.policy.name(), 15, HPos::Right)?;
            let what = match outcome.policy.is_sound() {
                true => outcome.policy.in_short().to_owned(),
                false => format!(
                    "unsound: {}",
                    counted(outcome.total.faults.stale_reads, "stale read")
                ),
            };
            self.write((right, middle + 9), &what, 12, HPos::Right)?;
        }
        Ok(())
    }

    /// A bar for each policy, and a line where they would all end if nothing held them up.
    fn rates(
        &self,
        top: i32,
        title: &str,
        rate: impl Fn(&Outcome) -> f64,
        wanted: Option<f64>,
    ) -> Result<(), Box<dyn Error>> {
        let left = COLUMNS[0];
        self.write((left, top + 18), title, 16, HPos::Left)?;
        let most = (self.outcomes.iter().map(&rate))
            .chain(wanted)
            .fold(1e-9, f64::max);
        let end = |rate: f64| left + (rate / most * f64::from(CHART)) as i32;
        let bottom = top + HEAD + ROW * self.outcomes.len() as i32;
        if let Some(wanted) = wanted {
            let x = end(wanted);
            self.line([(x, top + HEAD), (x, bottom)], INK.mix(0.5).stroke_width(1))?;
            let label = format!("wanted: {}", short(wanted));
            self.write((x, bottom + 12), &label, 12, HPos::Center)?;
        }
        for (outcome, middle) in self.rows(top) {
            let right = end(rate(outcome)).max(left + 1);
            let corners = [(left, middle - 13), (right, middle + 13)];
            match outcome.policy.is_sound() {
                true => (self.area).draw(&Rectangle::new(corners, colour(outcome).filled()))?,
                false => self.dashed_box(corners)?,
            }
            let label = short(rate(outcome));
            self.write((right + 8, middle), &label, 14, HPos::Left)?;
        }
        self.line([(left, top + HEAD), (left, bottom)], INK.stroke_width(1))
    }

    /// For each policy a dot at the median and a line to what one call in a thousand exceeds.
    fn latencies(
        &self,
        top: i32,
        title: &str,
        latencies: impl Fn(&Outcome) -> &Latency,
    ) -> Result<(), Box<dyn Error>> {
        let left = COLUMNS[1];
        self.write((left, top + 18), title, 16, HPos::Left)?;
        let key = "dot: half of them at most; bar: all but one in a thousand";
        self.write((left, top + 38), key, 12, HPos::Left)?;
        let measured = || self.rows(top).filter(|(of, _)| !latencies(of).is_empty());
        let quantiles = |outcome| [latencies(outcome).p50(), latencies(outcome).p99_9()];
        let all = || measured().flat_map(|(outcome, _)| quantiles(outcome));
        let (Some(least), Some(most)) = (all().min(), all().max()) else {
            return Ok(());
        };
        // Whole decades that hold everything.
        let first = least.max(1).ilog10();
        let decades = (most.max(1).ilog10() + 1 - first) as i32;
        let bottom = top + HEAD + ROW * self.outcomes.len() as i32;
        for decade in 0..=decades {
            let x = left + CHART * decade / decades;
            self.line([(x, top + HEAD), (x, bottom)], GRID.stroke_width(1))?;
            let label = latency(10_u64.pow(first + decade as u32)).replace(".0", "");
            self.write((x, bottom + 12), &label, 12, HPos::Center)?;
        }
        let place = |nanoseconds: u64| {
            let decade = (nanoseconds.max(1) as f64).log10() - f64::from(first);
            left + (decade / f64::from(decades) * f64::from(CHART)) as i32
        };
        for (outcome, middle) in measured() {
            let [p50, p99_9] = quantiles(outcome);
            let [dot, end] = [p50, p99_9].map(place);
            let colour = colour(outcome);
            match outcome.policy.is_sound() {
                true => self.line([(dot, middle), (end, middle)], colour.stroke_width(3))?,
                false => self.dashed([(dot, middle), (end, middle)], 2)?,
            }
            self.line(
                [(end, middle - 8), (end, middle + 8)],
                colour.stroke_width(3),
            )?;
            self.area
                .draw(&Circle::new((dot, middle), 6, colour.filled()))?;
            let label = format!("{} / {}", latency(p50), latency(p99_9));
            let behind = left + CHART + 14;
            self.write((behind, middle), &label, 14, HPos::Left)?;
        }
        Ok(())
    }

    fn legend(&self, middle: i32) -> Result<(), Box<dyn Error>> {
        let entries = [
            (OURS, "this crate"),
            (OTHERS[0], "others that are sound"),
            (UNSOUND, "unsound: can serve stale data"),
        ];
        let mut left = COLUMNS[0];
        for (nth, (colour, text)) in entries.into_iter().enumerate() {
            let corners = [(left, middle - 8), (left + 26, middle + 8)];
            match nth {
                2 => self.dashed_box(corners)?,
                _ => self.area.draw(&Rectangle::new(corners, colour.filled()))?,
            }
            self.write((left + 36, middle), text, 14, HPos::Left)?;
            left += 220;
        }
        Ok(())
    }

    fn dashed_box(
        &self,
        [(left, top), (right, bottom)]: [(i32, i32); 2],
    ) -> Result<(), Box<dyn Error>> {
        self.dashed([(left, top), (right, top)], 1)?;
        self.dashed([(right, top), (right, bottom)], 1)?;
        self.dashed([(right, bottom), (left, bottom)], 1)?;
        self.dashed([(left, bottom), (left, top)], 1)
    }

    fn dashed(&self, ends: [(i32, i32); 2], width: u32) -> Result<(), Box<dyn Error>> {
        let style = UNSOUND.stroke_width(width);
        self.area.draw(&DashedPathElement::new(ends, 5, 4, style))?;
        Ok(())
    }

    fn line(
        &self,
        ends: [(i32, i32); 2],
        style: impl Into<ShapeStyle>,
    ) -> Result<(), Box<dyn Error>> {
        self.area.draw(&PathElement::new(ends, style))?;
        Ok(())
    }

    /// Text whose middle line is at the height of `at`.
    fn write(
        &self,
        at: (i32, i32),
        text: &str,
        size: u32,
        side: HPos,
    ) -> Result<(), Box<dyn Error>> {
        let style = TextStyle::from(("sans-serif", size).into_font())
            .color(&INK)
            .pos(Pos::new(side, VPos::Center));
        self.area.draw_text(text, &style, at)?;
        Ok(())
    }
}

fn colour(outcome: &Outcome) -> RGBColor {
    match (outcome.policy.is_sound(), outcome.policy.is_ours()) {
        (false, _) => UNSOUND,
        (true, true) => OURS,
        (true, false) => OTHERS[0],
    }
}
