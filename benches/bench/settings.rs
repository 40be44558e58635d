//! The settings that the benchmarks share.

use std::time::Duration;

use criterion::Criterion;

/// Short and many, so that the whole stays within minutes; `--measurement-time` and the like override.
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(50)
        .configure_from_args()
}

/// A group's name, with the layout of the state word if it is not the usual one.
pub fn with_word(group: &str) -> String {
    if cfg!(seqschedlock_split) {
        format!("{group}, split word")
    } else {
        group.to_owned()
    }
}
