//! Reference counts.

use crate::sync::atomic::{AtomicU32, Ordering::AcqRel, Ordering::Acquire};

/// Adds a reference unless the count is zero: `atomic_inc_not_zero`.
///
/// `guess` is the usual count; if it is right, there is no need to load the count first.
pub(super) fn get_unless_zero(references: &AtomicU32, guess: u32) -> bool {
    let mut expected = guess;
    while expected != 0 {
        match references.compare_exchange(expected, expected + 1, AcqRel, Acquire) {
            Ok(_) => return true,
            Err(now) => expected = now,
        }
    }
    false
}
