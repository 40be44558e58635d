//! Heights, and the round figures beside them.

/// Heights, and where they are.
#[derive(Debug)]
pub struct Axis {
    from: f64,
    to: f64,
    logarithmic: bool,
}

impl Axis {
    pub fn linear(from: f64, to: f64) -> Self {
        let logarithmic = false;
        Self {
            from,
            to: to.max(from + 1e-9),
            logarithmic,
        }
    }

    pub fn logarithmic(lowest: f64, highest: f64) -> Self {
        // With room at both ends, and never less than a decade.
        let middle = (lowest * highest).sqrt();
        let from = (lowest / 1.3).min(middle / 3.2);
        let to = (highest * 1.3).max(middle * 3.2);
        Self {
            from,
            to,
            logarithmic: true,
        }
    }

    /// How far up, from 0 to 1.
    pub fn part(&self, y: f64) -> f64 {
        let part = match self.logarithmic {
            true => (y.max(self.from) / self.from).ln() / (self.to / self.from).ln(),
            false => (y - self.from) / (self.to - self.from),
        };
        part.clamp(0.0, 1.0)
    }

    /// Round figures.
    pub fn ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            let decades = (self.to / self.from).log10();
            let within: &[f64] = if decades > 4.0 {
                &[1.0]
            } else {
                &[1.0, 2.0, 5.0]
            };
            let first = self.from.log10().floor() as i32;
            return (first..first + 40)
                .flat_map(|decade| within.iter().map(move |digit| digit * 10_f64.powi(decade)))
                .skip_while(|tick| *tick < self.from)
                .take_while(|tick| *tick <= self.to)
                .collect();
        }
        let about = (self.to - self.from) / 6.0;
        let decade = 10_f64.powf(about.log10().floor());
        let step = decade
            * [1.0, 2.0, 5.0, 10.0]
                .into_iter()
                .find(|step| decade * step >= about)
                .unwrap_or(10.0);
        let first = (self.from / step).ceil() as i64;
        (first..first + 20)
            .map(|nth| nth as f64 * step)
            .take_while(|tick| *tick <= self.to)
            .collect()
    }
}

/// As short as possible.
pub fn figure(number: f64) -> String {
    match number.abs() {
        10.0.. => format!("{number:.0}"),
        _ => format!("{}", (number * 1000.0).round() / 1000.0),
    }
}
