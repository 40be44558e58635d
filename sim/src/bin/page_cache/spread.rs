//! The median of some rounds, and how certain it is.

/// The median of some figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub middle: f64,
    /// Where the median of very many rounds lies, in 99 of 100 cases; `None` if there are too few to tell.
    pub between: Option<(f64, f64)>,
}

impl Spread {
    /// `None` if there are no figures.
    ///
    /// The bounds are figures themselves. An outlier, from a round in which the machine was busy with
    /// something else, moves them no further than its neighbour does.
    pub fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let count = figures.len();
        let upper = *figures.get(count / 2)?;
        let lower = figures[(count - 1) / 2];
        let outside = outside(count);
        Some(Self {
            middle: (lower + upper) / 2.0,
            between: (outside > 0).then(|| (figures[outside - 1], figures[count - outside])),
        })
    }
}

/// Which bounds to take: the first from either end, the second and so on; 0 if none will do.
///
/// Each figure lies below the true median as often as a tossed coin shows heads. So the `nth` lowest of them
/// is above it as often as fewer than `nth` tosses show heads.
///
/// (Several policies are compared, for readers and for writers. If each comparison were wrong in one case of
/// 20, about every third report would be wrong somewhere.)
fn outside(count: usize) -> usize {
    let mut exactly = 0.5_f64.powi(count as i32);
    let mut fewer = 0.0;
    for heads in 0..=count {
        fewer += exactly;
        if 2.0 * fewer > 0.01 {
            return heads;
        }
        exactly *= (count - heads) as f64 / (heads + 1) as f64;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_the_sign_test() {
        let counts = [1, 7, 8, 10, 11, 12, 15, 20, 25, 100, 1000];
        assert_eq!(counts.map(outside), [0, 0, 1, 1, 1, 2, 3, 4, 6, 37, 459]);
    }

    #[test]
    fn a_round_that_is_far_off_moves_the_bounds_to_its_neighbour_at_most() {
        let quiet: Vec<f64> = (1..=12).map(f64::from).collect();
        let mut disturbed = quiet.clone();
        disturbed[11] = 1000.0;
        let spread = Spread {
            middle: 6.5,
            between: Some((2.0, 11.0)),
        };
        assert_eq!(Spread::of(quiet), Some(spread));
        assert_eq!(Spread::of(disturbed), Some(spread));
    }

    #[test]
    fn few_figures_have_a_middle_and_no_bounds() {
        assert_eq!(Spread::of(Vec::new()), None);
        let three = Spread::of(vec![3.0, 1.0, 2.0]).unwrap();
        assert_eq!((three.middle, three.between), (2.0, None));
    }
}
