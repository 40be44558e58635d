//! Two bar charts: the rate of faults, and the wait of invalidations.

use std::error::Error;
use std::fs;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::figures::{Figures, Measure, Outcome, Ratio};
use super::options::{Options, PolicyName};
use super::report::{latency, times};

const WIDTH: u32 = 1200;
const ROW: i32 = 22;
/// The space above the bars of a workload.
const HEAD: i32 = 30;
const TOP: i32 = 96;
const BOTTOM: i32 = 40;
/// The width of the column with the names of policies.
const LABELS: i32 = 130;
/// The length of the longest bar.
const BAR: i32 = 330;
const RIGHT: i32 = 640;

const OURS: RGBColor = RGBColor(0x1f, 0x77, 0x8d);
const RIVAL: RGBColor = RGBColor(0xa9, 0xb4, 0xbd);
const UNSOUND: RGBColor = RGBColor(0xc4, 0x3c, 0x39);
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);

/// Checks early that the plot can be written.
pub fn try_path(path: &Path) -> Result<(), String> {
    fs::File::options()
        .create(true)
        .append(true)
        .open(path)
        .map(|_| ())
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

pub fn draw(path: &Path, options: &Options, all: &[Figures]) -> Result<(), String> {
    svg(options, all)
        .and_then(|svg| Ok(fs::write(path, svg)?))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn svg(options: &Options, all: &[Figures]) -> Result<String, Box<dyn Error>> {
    let rows: i32 = all
        .iter()
        .map(|figures| HEAD + ROW * figures.policies.len() as i32)
        .sum();
    let height = (TOP + rows + BOTTOM) as u32;
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE)?;
        let title = format!(
            "Real page faults beside invalidations, {} readers and {} handlers",
            options.readers, options.handlers
        );
        write(&area, (20, 22), &title, 19, HPos::Left)?;
        legend(&area)?;
        let faults = "How many faults are served? (Unprotected: 1)";
        write(&area, (LABELS, TOP - 14), faults, 15, HPos::Left)?;
        let waits = "How long does an invalidation wait? p50 and, paler, p99.9 (logarithmic)";
        write(&area, (RIGHT, TOP - 14), waits, 15, HPos::Left)?;

        let most = all.iter().flat_map(widest).fold(1.0, f64::max);
        let mut top = TOP;
        for figures in all {
            let about = format!("{}: {}", figures.workload.name, figures.workload.question);
            write(&area, (20, top + HEAD / 2), &about, 14, HPos::Left)?;
            top += HEAD;
            for outcome in &figures.policies {
                let name = (LABELS - 10, top + ROW / 2);
                write(&area, name, outcome.policy.name(), 14, HPos::Right)?;
                fault_bar(&area, top, figures, outcome, most)?;
                wait_bars(&area, top, outcome)?;
                top += ROW;
            }
        }
        area.present()?;
    }
    Ok(text)
}

/// The upper ends of the spreads of a workload.
fn widest(figures: &Figures) -> impl Iterator<Item = f64> {
    let measure = Measure::FaultsPerSecond;
    let ratio =
        move |outcome: &Outcome| figures.ratio(measure, outcome.policy, PolicyName::Unprotected);
    figures
        .policies
        .iter()
        .filter_map(ratio)
        .map(|ratio| ratio.upper)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The legend, above the charts.
fn legend(area: &Area<'_>) -> Result<(), Box<dyn Error>> {
    let entries = [
        (PolicyName::Gate, "this crate"),
        (PolicyName::RwLock, "rivals"),
        (PolicyName::Unprotected, "unsound: serves stale pages"),
    ];
    let mut left = 20;
    for (policy, meaning) in entries {
        bar(area, (left, 44), 26, policy, 1.0)?;
        write(area, (left + 34, 44 + ROW / 2), meaning, 14, HPos::Left)?;
        left += 70 + 8 * meaning.len() as i32;
    }
    Ok(())
}

/// A bar for the median, and a line for the spread.
fn fault_bar(
    area: &Area<'_>,
    top: i32,
    figures: &Figures,
    outcome: &Outcome,
    most: f64,
) -> Result<(), Box<dyn Error>> {
    let measure = Measure::FaultsPerSecond;
    let Some(ratio) = figures.ratio(measure, outcome.policy, PolicyName::Unprotected) else {
        let none = "Unprotected did not run";
        return write(area, (LABELS, top + ROW / 2), none, 12, HPos::Left);
    };
    let place = |value: f64| (value.min(most) / most * f64::from(BAR)) as i32;
    bar(
        area,
        (LABELS, top),
        place(ratio.median),
        outcome.policy,
        1.0,
    )?;
    let middle = top + ROW / 2;
    let Ratio { lower, upper, .. } = ratio;
    let spread = [lower, upper].map(|value| (LABELS + place(value), middle));
    area.draw(&PathElement::new(spread, INK.stroke_width(2)))?;
    let end = LABELS + place(upper.max(ratio.median)) + 8;
    write(area, (end, middle), &times(ratio.median), 13, HPos::Left)
}

fn wait_bars(area: &Area<'_>, top: i32, outcome: &Outcome) -> Result<(), Box<dyn Error>> {
    let waits = &outcome.total.invalidation;
    if waits.is_empty() {
        return Ok(());
    }
    let [p50, p999] = [0.5, 0.999].map(|quantile| waits.value_at_quantile(quantile));
    // Five decades, from 1 µs to 100 ms.
    let place = |ns: u64| {
        let decades = ((ns as f64).log10() - 3.0) / 5.0;
        (decades.clamp(0.0, 1.0) * f64::from(BAR)) as i32
    };
    bar(area, (RIGHT, top), place(p999), outcome.policy, 0.35)?;
    bar(area, (RIGHT, top), place(p50), outcome.policy, 1.0)?;
    let label = format!("{} / {}", latency(p50), latency(p999));
    let end = (RIGHT + place(p999) + 8, top + ROW / 2);
    write(area, end, &label, 13, HPos::Left)
}

/// A bar in the colour of the policy, or a dashed outline if the policy is unsound.
fn bar(
    area: &Area<'_>,
    (left, top): (i32, i32),
    width: i32,
    policy: PolicyName,
    opacity: f64,
) -> Result<(), Box<dyn Error>> {
    let right = left + width.max(1);
    let (top, bottom) = (top + 4, top + ROW - 4);
    if policy.is_sound() {
        let colour = if policy.is_ours() { OURS } else { RIVAL };
        let corners = [(left, top), (right, bottom)];
        area.draw(&Rectangle::new(corners, colour.mix(opacity).filled()))?;
        return Ok(());
    }
    let style = UNSOUND.mix(opacity).stroke_width(2);
    for y in [top, bottom] {
        for x in (left..right).step_by(8) {
            let dash = [(x, y), ((x + 4).min(right), y)];
            area.draw(&PathElement::new(dash, style))?;
        }
    }
    area.draw(&PathElement::new([(right, top), (right, bottom)], style))?;
    Ok(())
}

/// Text that is centred vertically at `at`.
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
