//! Reference counts.

use crate::sync::atomic::{AtomicU32, Ordering::AcqRel, Ordering::Acquire};

/// Counts one more reference if there is one: `atomic_inc_not_zero`.
///
/// `guess` is how many there are most of the time, which saves the first look.
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
