use super::{Wait, Writers};
use crate::sync::{wait_init, yield_now};

/// Readers give their time slice away until no writer runs, as the 2005 patch did.
///
/// Right for sections that are short but may be preempted. Needs `std`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Yield;

impl Wait for Yield {
    wait_init! { define Yield }

    const WAKES: bool = false;

    #[inline]
    fn wait(&self, writers: &Writers<'_>) {
        while writers.running() {
            yield_now();
        }
    }
}
