//! How contenders are told apart.

use crate::chart::Line;
use crate::drawing::{Colour, Drawing, OTHERS, OURS, Point, Stroke, UNSOUND};

/// What a contender's line is drawn with.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub colour: Colour,
    pub stroke: Stroke,
    marker: usize,
    /// What is added to the name.
    pub remark: &'static str,
}

/// Ours in one colour, told apart by their markers; the others by colour and marker.
pub fn looks(lines: &[Line]) -> Vec<Look> {
    let (mut ours, mut others) = (0, 0);
    let next = |count: &mut usize| {
        *count += 1;
        *count - 1
    };
    lines
        .iter()
        .map(|line| {
            let (colour, stroke, marker, remark) = match line.name.as_str() {
                "Unprotected" | "AsPosted" => {
                    let stroke = Stroke::dashed(UNSOUND, 1.8);
                    (UNSOUND, stroke, next(&mut others), " (unsound)")
                }
                name if name.starts_with("bare copy") => (
                    UNSOUND,
                    Stroke::dashed(UNSOUND, 1.8),
                    next(&mut others),
                    " (no lock)",
                ),
                name if is_ours(name) => (OURS, Stroke::solid(OURS, 2.6), next(&mut ours), ""),
                _ => {
                    let nth = next(&mut others);
                    let colour = OTHERS[nth % OTHERS.len()];
                    (colour, Stroke::solid(colour, 1.8), nth, "")
                }
            };
            Look {
                colour,
                stroke,
                marker,
                remark,
            }
        })
        .collect()
}

/// Whether it is built on this crate.
fn is_ours(contender: &str) -> bool {
    [
        "SeqSched",
        "RawSeqSched",
        "StripedSeqSched",
        "Fenced",
        "Commit",
        "Striped",
    ]
    .iter()
    .any(|ours| contender.starts_with(ours))
}

impl Look {
    pub fn mark(&self, drawing: &mut Drawing, (x, y): Point) {
        const HALF: f64 = 4.5;
        match self.marker % 5 {
            0 => drawing.disc((x, y), HALF, self.colour),
            1 => {
                let (upper, lower) = ((x - 4.0, y - 4.0), (x + 4.0, y + 4.0));
                drawing.bar(upper, lower, self.colour);
            }
            2 => {
                let corners = [(x, y - 5.5), (x + 5.0, y + HALF), (x - 5.0, y + HALF)];
                drawing.polygon(&corners, self.colour);
            }
            3 => {
                let corners = [(x, y - 5.5), (x + 5.5, y), (x, y + 5.5), (x - 5.5, y)];
                drawing.polygon(&corners, self.colour);
            }
            _ => {
                let corners = [(x, y + 5.5), (x + 5.0, y - HALF), (x - 5.0, y - HALF)];
                drawing.polygon(&corners, self.colour);
            }
        }
    }
}
