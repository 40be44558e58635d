//! One thread that rewrites blocks past the cache.

use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Instant;

use fastrand::Rng;
use seqschedlock_sim::page_cache::{AddressSpace, PAGE_SIZE, Policy};

use super::{Workload, blocks};
use crate::outcome::Writes;
use crate::round::Round;

impl Workload {
    /// Rewrites its share of the extents, over and over.
    pub(super) fn rewrite<P: Policy>(
        &self,
        mapping: &AddressSpace<P>,
        round: &Round,
        writer: u16,
    ) -> Writes {
        let mut random = Rng::with_seed(u64::from(writer) << 32);
        let mut writes = Writes::default();
        // No extent has two writers, so that its generations come in order.
        let own: Vec<u64> = (u64::from(writer)..self.blocks.extents)
            .step_by(self.writers.into())
            .collect();
        let mut bytes = vec![0; self.blocks.range as usize * PAGE_SIZE];
        // Not all at the same moment.
        let mut due = Instant::now() + self.every * writer.into() / self.writers.into();
        round.sleep(due.saturating_duration_since(Instant::now()));
        while !own.is_empty() && !round.is_over() {
            let extent = own[random.usize(..own.len())];
            let first = self.blocks.first(extent);
            let announced = &self.announced[extent as usize];
            let generation = announced.load(Relaxed) + 1;
            random.fill(&mut bytes);
            for (block, bytes) in (first..).zip(bytes.chunks_exact_mut(PAGE_SIZE)) {
                blocks::stamp(bytes, block, generation);
            }
            let began = Instant::now();
            let written = mapping.direct_write(first, &bytes).is_ok();
            writes.latency.record(began.elapsed());
            if written {
                announced.store(generation, Release);
                writes.done += u64::from(!round.is_over());
            }
            // What was missed is not made up for.
            due = (due + self.every).max(Instant::now());
            round.sleep(due.saturating_duration_since(Instant::now()));
        }
        writes
    }
}
