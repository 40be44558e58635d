use super::{Wait, Writers};
use crate::sync::{Backoff, wait_init};

/// Readers spin, with growing pauses. Needs nothing but `core`.
///
/// Right for sections of a few instructions that are never preempted. A writer that sleeps makes each
/// of its readers burn a core: use `Yield` or `Park` for those.
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
