//! Drawings as SVG, and how they look: this crate in one strong colour, others in muted ones, the unsound
//! dashed.
#![allow(dead_code, reason = "no program draws everything")]

use std::fmt::Write as _;

/// As SVG writes it.
pub type Colour = &'static str;

/// This crate.
pub const OURS: Colour = "#0b53b8";
/// All others, told apart by hue.
pub const OTHERS: [Colour; 6] = [
    "#8a96a3", "#b89b6a", "#7da080", "#a186ae", "#b38484", "#76a0a8",
];
/// Contenders that are unsound, or have no lock at all; their lines are dashed.
pub const UNSOUND: Colour = "#6d6d6d";
/// Text and axes.
pub const INK: Colour = "#222222";
/// Lines that only help the eye.
pub const GRID: Colour = "#dddddd";

/// From the upper left corner, to the right and down.
pub type Point = (f64, f64);

/// Which part of a text is at its position.
#[derive(Clone, Copy, Debug)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Stroke {
    pub colour: Colour,
    pub width: f64,
    pub dashed: bool,
}

impl Stroke {
    pub const fn solid(colour: Colour, width: f64) -> Self {
        let dashed = false;
        Self {
            colour,
            width,
            dashed,
        }
    }

    pub const fn dashed(colour: Colour, width: f64) -> Self {
        let dashed = true;
        Self {
            colour,
            width,
            dashed,
        }
    }

    fn attributes(self) -> String {
        let Self {
            colour,
            width,
            dashed,
        } = self;
        let dashes = if dashed {
            r#" stroke-dasharray="5 4""#
        } else {
            ""
        };
        format!(r#"stroke="{colour}" stroke-width="{width}"{dashes}"#)
    }
}

/// An image with a white background.
#[derive(Debug)]
pub struct Drawing {
    svg: String,
}

impl Drawing {
    pub fn new(width: f64, height: f64) -> Self {
        let svg = format!(
            r#"<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" fill="{INK}">
<rect width="{width}" height="{height}" fill="white"/>
"#
        );
        Self { svg }
    }

    /// The image as the contents of a file.
    pub fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }

    /// One line of text, its middle at the height of `at`.
    pub fn text(&mut self, (x, y): Point, size: f64, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let base = y + 0.35 * size;
        self.element(format_args!(
            r#"<text x="{x:.1}" y="{base:.1}" font-size="{size}" text-anchor="{anchor}">{text}</text>"#
        ));
    }

    /// A line through these points.
    pub fn line(&mut self, points: &[Point], stroke: Stroke) {
        let points: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        self.element(format_args!(
            r#"<polyline points="{}" fill="none" {}/>"#,
            points.join(" "),
            stroke.attributes()
        ));
    }

    /// A box between two corners.
    pub fn bar(&mut self, (left, top): Point, (right, bottom): Point, colour: Colour) {
        let (width, height) = (right - left, bottom - top);
        self.element(format_args!(
            r#"<rect x="{left:.1}" y="{top:.1}" width="{width:.1}" height="{height:.1}" fill="{colour}"/>"#
        ));
    }

    /// The outline of a box.
    pub fn outline(&mut self, (left, top): Point, (right, bottom): Point, stroke: Stroke) {
        let corners = [
            (left, top),
            (right, top),
            (right, bottom),
            (left, bottom),
            (left, top),
        ];
        self.line(&corners, stroke);
    }

    pub fn disc(&mut self, (x, y): Point, radius: f64, colour: Colour) {
        self.element(format_args!(
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius}" fill="{colour}"/>"#
        ));
    }

    /// A shape without a hole.
    pub fn polygon(&mut self, corners: &[Point], colour: Colour) {
        let corners: Vec<String> = corners
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        self.element(format_args!(
            r#"<polygon points="{}" fill="{colour}"/>"#,
            corners.join(" ")
        ));
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.svg, "{element}");
    }
}
