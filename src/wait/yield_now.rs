use super::{Wait, Writers};
use crate::sync::{wait_init, yield_now};

/// Readers give up their time slice until no writer runs, as in the 2005 patch.
///
/// Right for sections that are short but may be preempted. Needs `std`.
///
/// Do not use it on threads with a real-time priority (`SCHED_FIFO`): they yield only to threads of the same priority,
/// and so never to a writer of lower priority that was preempted in its section. Use `Park` there.
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
