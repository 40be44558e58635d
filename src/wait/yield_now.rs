use super::{Wait, Writers};
use crate::sync::{wait_init, yield_now};

/// Readers give their time slice away until no writer runs, as the 2005 patch did.
///
/// Right for sections that are short but may be preempted. Needs `std`.
///
/// Not for threads with a real-time priority (`SCHED_FIFO`): they give the processor to threads of their own priority
/// only, and so never to a writer of a lower one that was preempted in its section. Take `Park` there.
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
