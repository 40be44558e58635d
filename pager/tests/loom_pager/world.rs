//! The common part of the models: a source, a kernel, a policy, and threads that use them.

use std::io;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering::Relaxed};
use loom::thread::{JoinHandle, spawn};

use seqschedlock::Stamp;
use seqschedlock_pager::{Fault, Flights, Memory as _, Policy};

use crate::kernel::{Kernel, POISON};

/// The page, its source, and a policy between them.
pub struct World<P> {
    pub policy: P,
    pub kernel: Kernel,
    /// Stamps that were taken before the threads start.
    pub stamps: [Option<Stamp>; 2],
    flights: Flights,
    /// Starts at 1 and counts invalidations.
    source: AtomicU32,
    /// Loads fail while the source has this number.
    fails_at: Option<u32>,
}

impl<P: Policy> World<P> {
    pub fn new() -> Self {
        Self {
            policy: P::new(1, 1),
            kernel: Kernel::new(),
            stamps: [None; 2],
            flights: Flights::new(1),
            source: AtomicU32::new(1),
            fails_at: None,
        }
    }

    /// A world whose loads fail until the first invalidation.
    pub fn broken() -> Self {
        Self {
            fails_at: Some(1),
            ..Self::new()
        }
    }

    /// A world whose kernel leaves pages behind the mapping.
    pub fn that_only_zaps() -> Self {
        Self {
            kernel: Kernel::that_only_zaps(),
            ..Self::new()
        }
    }

    /// A handler serves a fault.
    pub fn fault(&self) {
        if let Some(flight) = self.flights.begin(0) {
            self.serve();
            flight.land(&self.kernel);
        }
    }

    fn serve(&self) {
        let mut number = 0;
        let mut load = |into: &mut u32| {
            *into = self.source.load(Relaxed);
            match self.fails_at == Some(*into) {
                true => Err(io::ErrorKind::Other.into()),
                false => Ok(()),
            }
        };
        let mut fault = Fault::new(0, &self.kernel, &mut number, &mut load);
        self.policy.serve(&mut fault);
    }

    /// A handler that loaded the page before the threads started does the rest of its work.
    pub fn rest_of_a_fault(&self, rest: impl FnOnce(&P, &mut Fault<'_, Kernel>)) {
        let mut number = 0;
        let mut load = |into: &mut u32| {
            *into = 1;
            Ok(())
        };
        let mut fault = Fault::new(0, &self.kernel, &mut number, &mut load);
        fault.load();
        rest(&self.policy, &mut fault);
    }

    /// Invalidates the page. Inside the section it must not be mapped, and afterwards no older page may be.
    pub fn invalidate(&self) {
        let section = self.policy.invalidate(0..1, &self.kernel);
        assert_eq!(
            self.kernel.look(),
            None,
            "a stale page is mapped, inside a section"
        );
        let new = self.source.fetch_add(1, Relaxed) + 1;
        drop(section);
        self.look(new);
    }

    /// Invalidates the page twice.
    pub fn invalidate_twice(&self) {
        self.invalidate();
        self.invalidate();
    }

    /// Evicts the page.
    pub fn evict(&self) {
        self.kernel.take_out(0..1);
    }

    fn look(&self, oldest: u32) {
        match self.kernel.look() {
            Some(POISON) => panic!("an old failure is mapped"),
            Some(seen) => assert!(seen >= oldest, "a stale page is mapped"),
            None => {}
        }
    }
}

/// Runs each part on its own thread, and checks the page at the end.
pub fn at_once<P: Policy, const N: usize>(world: World<P>, parts: [Part<P>; N]) {
    let world = Arc::new(world);
    let threads: Vec<JoinHandle<()>> = parts
        .into_iter()
        .map(|part| {
            let world = Arc::clone(&world);
            spawn(move || part(&world))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    world.look(world.source.load(Relaxed));
}

/// The work of a thread.
pub type Part<P> = fn(&World<P>);
