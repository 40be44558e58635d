use super::{Wait, Writers};
use crate::sync::{Backoff, wait_init};

/// Readers spin, with growing pauses. Needs nothing but `core`.
///
/// Right for sections of a few instructions on threads that are not preempted in them. A writer
/// that sleeps makes its readers burn a core each: take `Yield` or `Park` for those.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spin;

impl Wait for Spin {
    wait_init! { define Spin }

    const WAKES: bool = false;

    #[inline]
    fn wait(&self, writers: &Writers<'_>) {
        let backoff = Backoff::new();
        while writers.running() {
            backoff.spin();
        }
    }
}
