//! A thread that serves faults.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::{Arc, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::{Failure, Shared};
use crate::fault::Fault;
use crate::memory::PAGE_SIZE;
use crate::policy::Policy;
use crate::uffd::{Doorbell, PageFault, Poll, Ready};

/// Starts a handler.
pub(super) fn start<P: Policy>(
    number: usize,
    shared: &Arc<Shared<P>>,
    doorbell: &Arc<Doorbell>,
) -> io::Result<JoinHandle<()>> {
    let poll = Poll::new(&shared.region, doorbell)?;
    let (shared, doorbell) = (Arc::clone(shared), Arc::clone(doorbell));
    Builder::new()
        .name(format!("pager {number}"))
        .spawn(move || {
            let run = AssertUnwindSafe(|| run(&shared, &poll));
            let ended = catch_unwind(run);
            drop((poll, doorbell));
            if !matches!(ended, Ok(Ok(()))) {
                // Threads would wait for this handler for ever. Aborting is better than hanging.
                eprintln!("seqschedlock-pager: a handler has failed: {ended:?}");
                process::abort();
            }
        })
}

fn run<P: Policy>(shared: &Shared<P>, poll: &Poll) -> io::Result<()> {
    let mut bytes = Box::new([0; PAGE_SIZE]);
    while poll.wait()? == Ready::Fault {
        if let Some(fault) = shared.region.read_fault()? {
            shared.serve(fault, &mut bytes);
        }
    }
    Ok(())
}

impl<P: Policy> Shared<P> {
    fn serve(&self, event: PageFault, bytes: &mut [u8; PAGE_SIZE]) {
        let page = self.region.page_of(event);
        let Some(flight) = self.flights.begin(page) else {
            self.counters.joined();
            return;
        };
        let mut load = |into: &mut [u8; PAGE_SIZE]| self.load(page, into);
        let mut fault = Fault::new(page, &self.region, bytes, &mut load);
        self.policy.serve(&mut fault);
        let served = fault.served();
        self.counters.served(&served);
        if let Some(error) = served.failure {
            if !served.poisoned {
                // While it still waits. After the wake-up it may have left the fault, and the signal would
                // hit it somewhere else.
                self.region.interrupt(event);
            }
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            *failure = Some(Failure { page, error });
        }
        flight.land(&self.region);
    }

    /// Loads from the store. A panic counts as a failure, so that the waiting threads get an answer.
    fn load(&self, page: usize, into: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        let load = AssertUnwindSafe(|| self.store.load(page, into));
        catch_unwind(load).unwrap_or_else(|_| Err(io::Error::other("the store has panicked")))
    }
}
