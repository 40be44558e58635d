//! A chart with a line for each contender, and their names beside it.

use crate::axis::{Axis, figure};
use crate::drawing::{Anchor, Drawing, GRID, INK, OURS, Point, Stroke};
use crate::look::{Look, looks};

/// Of a whole chart, with the names beside it.
pub const SIZE: Point = (800.0, 460.0);
/// Where the lines are, within that.
const LEFT: f64 = 76.0;
const RIGHT: f64 = 540.0;
const TOP: f64 = 66.0;
const BOTTOM: f64 = 386.0;
/// Where the names begin, and their least distance.
const NAMES: f64 = 572.0;
const LINE: f64 = 19.0;

/// A contender's figures.
#[derive(Clone, Debug)]
pub struct Line {
    pub name: String,
    pub points: Vec<Measured>,
}

/// A figure with the lowest and the highest round, if they are known.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub x: f64,
    pub y: f64,
    pub between: Option<(f64, f64)>,
}

/// How heights are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// From zero.
    Linear,
    /// From somewhat below the lowest: for figures that lie close together.
    Close,
    Logarithmic,
}

/// The text around the lines of a chart.
#[derive(Clone, Copy, Debug)]
pub struct Chart<'a> {
    /// The question that it answers.
    pub title: &'a str,
    pub x: &'a str,
    pub y: &'a str,
    /// The label under each x, if these are places rather than numbers.
    pub places: &'a [&'a str],
    pub scale: Scale,
}

impl Chart<'_> {
    /// Draws it with its upper left corner at `left`.
    pub fn draw(&self, drawing: &mut Drawing, left: f64, lines: &[Line]) {
        let points = || lines.iter().flat_map(|line| &line.points);
        if points().next().is_none() {
            return;
        }
        let middle = left + (LEFT + RIGHT) / 2.0;
        drawing.text((left + 14.0, 22.0), 17.0, Anchor::Start, self.title);
        drawing.text((left + 14.0, TOP - 18.0), 13.0, Anchor::Start, self.y);
        drawing.text((middle, BOTTOM + 54.0), 13.0, Anchor::Middle, self.x);

        let axis = self.axis(points());
        let [first, last] = extremes(points().map(|point| point.x));
        let across = |x: f64| {
            left + LEFT + 24.0 + (x - first) / (last - first).max(1.0) * (RIGHT - LEFT - 48.0)
        };
        let down = |y: f64| BOTTOM - axis.part(y) * (BOTTOM - TOP);
        for tick in axis.ticks() {
            let y = down(tick);
            let ends = [(left + LEFT, y), (left + RIGHT, y)];
            drawing.line(&ends, Stroke::solid(GRID, 1.0));
            drawing.text((left + LEFT - 8.0, y), 12.0, Anchor::End, &figure(tick));
        }
        let axes = [
            (left + LEFT, TOP),
            (left + LEFT, BOTTOM),
            (left + RIGHT, BOTTOM),
        ];
        drawing.line(&axes, Stroke::solid(INK, 1.0));
        for (x, label) in self.stops(first, last) {
            let x = across(x);
            drawing.line(&[(x, BOTTOM), (x, BOTTOM + 5.0)], Stroke::solid(INK, 1.0));
            for (nth, line) in label.lines().enumerate() {
                let at = (x, BOTTOM + 16.0 + 14.0 * nth as f64);
                drawing.text(at, 12.0, Anchor::Middle, line);
            }
        }

        let looks = looks(lines);
        let mut names = Vec::new();
        // Ours last, so that they are on top.
        let (ours, others): (Vec<_>, Vec<_>) = lines
            .iter()
            .zip(&looks)
            .partition(|(_, look)| look.colour == OURS);
        for (line, look) in others.into_iter().chain(ours) {
            for point in &line.points {
                if let Some((lowest, highest)) = point.between {
                    let x = across(point.x);
                    let ends = [(x, down(lowest)), (x, down(highest))];
                    drawing.line(&ends, Stroke::solid(look.colour, 0.8));
                }
            }
            let path: Vec<Point> = line
                .points
                .iter()
                .map(|point| (across(point.x), down(point.y)))
                .collect();
            drawing.line(&path, look.stroke);
            for point in &path {
                look.mark(drawing, *point);
            }
            if let Some(end) = path.last() {
                names.push((*end, line, look));
            }
        }
        self.names(drawing, left, names);
    }

    /// Puts each name as near to the end of its line as the others allow.
    fn names(&self, drawing: &mut Drawing, left: f64, mut names: Vec<(Point, &Line, &Look)>) {
        names.sort_by(|a, b| f64::total_cmp(&a.0.1, &b.0.1));
        let mut heights: Vec<f64> = names.iter().map(|(end, ..)| end.1).collect();
        let mut least = TOP;
        for height in &mut heights {
            *height = height.max(least);
            least = *height + LINE;
        }
        let mut most = BOTTOM;
        for height in heights.iter_mut().rev() {
            *height = height.min(most);
            most = *height - LINE;
        }
        for ((end, line, look), height) in names.into_iter().zip(heights) {
            let at = (left + NAMES, height);
            let leader = [(end.0 + 7.0, end.1), (at.0 - 8.0, height)];
            drawing.line(&leader, Stroke::solid(GRID, 1.0));
            let sample = [at, (at.0 + 22.0, height)];
            drawing.line(&sample, look.stroke);
            look.mark(drawing, (at.0 + 11.0, height));
            let name = format!("{}{}", line.name, look.remark);
            drawing.text((at.0 + 28.0, height), 13.0, Anchor::Start, &name);
        }
    }

    fn axis<'a>(&self, points: impl Iterator<Item = &'a Measured>) -> Axis {
        let ends = points.flat_map(|point| {
            let (lowest, highest) = point.between.unwrap_or((point.y, point.y));
            [lowest, highest, point.y]
        });
        let [lowest, highest] = extremes(ends);
        let room = 0.08 * (highest - lowest).max(1e-9);
        match self.scale {
            Scale::Linear => Axis::linear(0.0, highest * 1.05),
            Scale::Close => Axis::linear((lowest - room).max(0.0), highest + room),
            Scale::Logarithmic => Axis::logarithmic(lowest.max(1e-9), highest.max(1e-9)),
        }
    }

    /// Where the labels under the chart are.
    fn stops(&self, first: f64, last: f64) -> Vec<(f64, String)> {
        if !self.places.is_empty() {
            let places = self.places.iter().enumerate();
            return places
                .map(|(nth, place)| (nth as f64, (*place).to_owned()))
                .filter(|(x, _)| first <= *x && *x <= last)
                .collect();
        }
        let step = ((last - first) / 8.0).ceil().max(1.0);
        let stops = (0..).map(|nth| first + f64::from(nth) * step);
        stops
            .take_while(|x| *x <= last)
            .map(|x| (x, figure(x)))
            .collect()
    }
}

fn extremes(numbers: impl Iterator<Item = f64>) -> [f64; 2] {
    numbers.fold([f64::MAX, f64::MIN], |[least, most], number| {
        [least.min(number), most.max(number)]
    })
}
