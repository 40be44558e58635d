//! Two bar charts beside each other: how many faults, and how long they took.

use std::error::Error;
use std::fs;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::{counted, latency, short};
use crate::workload::{Outcome, Workload};

const WIDTH: u32 = 1100;
const ROW: i32 = 56;
const TOP: i32 = 90;
const BOTTOM: i32 = 60;

/// Policies that let nothing stale through, and those that did.
const FRESH: RGBColor = RGBColor(0x2a, 0x78, 0x8e);
const STALE: RGBColor = RGBColor(0xc4, 0x3c, 0x39);
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);

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
    let height = (TOP + BOTTOM + ROW * outcomes.len() as i32) as u32;
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE)?;
        let threads = counted(workload.threads.into(), "thread");
        let title = format!("{}, read by {threads}", workload.name);
        write(&area, (20, 24), &title, 20, HPos::Left)?;
        let legend = "red: stale reads or orphaned mappings were seen";
        write(&area, (20, height as i32 - 24), legend, 15, HPos::Left)?;

        let (left, right) = area.split_horizontally(WIDTH * 11 / 20);
        let most = outcomes.iter().map(faults).fold(1.0, f64::max);
        let throughput = Chart {
            title: "faults per second",
            labels: 170,
            width: 330,
        };
        throughput.draw(&left, outcomes, |outcome| {
            let bar = faults(outcome) / most;
            (vec![bar], short(faults(outcome)))
        })?;
        // Seven decades, from 10 ns to 100 ms.
        let decades = |ns: u64| ((ns as f64).log10() / 7.0 - 1.0 / 7.0).clamp(0.0, 1.0);
        let waiting = Chart {
            title: "fault latency: p50 and, paler, p99.9 (logarithmic)",
            labels: 10,
            width: 330,
        };
        waiting.draw(&right, outcomes, |outcome| {
            let histogram = &outcome.readers.latency;
            let [p50, p999] = [0.5, 0.999].map(|quantile| histogram.value_at_quantile(quantile));
            let label = format!("{} / {}", latency(p50), latency(p999));
            (vec![decades(p999), decades(p50)], label)
        })?;
        area.present()?;
    }
    Ok(text)
}

fn faults(outcome: &Outcome) -> f64 {
    outcome.per_second(outcome.readers.faults)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

struct Chart {
    title: &'static str,
    /// The room for the names of policies; too little of it, and there are none.
    labels: i32,
    /// Of the longest bar.
    width: i32,
}

impl Chart {
    /// A row for each policy: bars as long as `measure` says (of 1), each paler than the next, and
    /// what it writes behind them.
    fn draw(
        &self,
        area: &Area<'_>,
        outcomes: &[Outcome],
        measure: impl Fn(&Outcome) -> (Vec<f64>, String),
    ) -> Result<(), Box<dyn Error>> {
        write(area, (self.labels, TOP - 26), self.title, 16, HPos::Left)?;
        for (row, outcome) in outcomes.iter().enumerate() {
            let top = TOP + ROW * row as i32;
            let middle = top + ROW / 2;
            if self.labels > 100 {
                let name = (self.labels - 10, middle);
                write(area, name, outcome.policy, 16, HPos::Right)?;
            }
            let colour = if outcome.fresh() { FRESH } else { STALE };
            let (bars, label) = measure(outcome);
            let mut end = self.labels;
            for (nth, bar) in bars.iter().enumerate() {
                let right = self.labels + (bar * f64::from(self.width)).max(1.0) as i32;
                let opacity = if nth + 1 == bars.len() { 1.0 } else { 0.35 };
                let corners = [(self.labels, top + 10), (right, top + ROW - 10)];
                area.draw(&Rectangle::new(corners, colour.mix(opacity).filled()))?;
                end = end.max(right);
            }
            write(area, (end + 8, middle), &label, 15, HPos::Left)?;
        }
        Ok(())
    }
}

/// Text whose middle line is at the height of `at`.
fn write(
    area: &Area<'_>,
    at: (i32, i32),
    text: &str,
    size: u32,
    side: HPos,
) -> Result<(), Box<dyn Error>> {
    let style = TextStyle::from(("sans-serif", size).into_font())
        .color(&INK)
        .pos(Pos::new(side, VPos::Center));
    area.draw_text(text, &style, at)?;
    Ok(())
}
