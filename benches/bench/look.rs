//! How plots look: this crate in one strong colour, others in quiet ones, the unsound dashed.

use plotters::prelude::RGBColor;

/// This crate.
pub const OURS: RGBColor = RGBColor(0x0b, 0x53, 0xb8);
/// Everybody else, told apart by hue and by marker.
pub const OTHERS: [RGBColor; 6] = [
    RGBColor(0x8a, 0x96, 0xa3),
    RGBColor(0xb8, 0x9b, 0x6a),
    RGBColor(0x7d, 0xa0, 0x80),
    RGBColor(0xa1, 0x86, 0xae),
    RGBColor(0xb3, 0x84, 0x84),
    RGBColor(0x76, 0xa0, 0xa8),
];
/// What is wrong, or has no lock at all: dashed.
pub const UNSOUND: RGBColor = RGBColor(0x70, 0x70, 0x70);
/// Text.
pub const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Lines that only help the eye.
pub const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
