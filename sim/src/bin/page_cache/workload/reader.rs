//! One process that has the file mapped.

use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;
use std::time::Instant;

use fastrand::Rng;
use seqschedlock_sim::page_cache::{
    Access, AddressSpace, Mm, PAGE_SIZE, Patience, Policy, Sharing,
};

use super::{Workload, blocks};
use crate::outcome::Faults;
use crate::round::Round;

impl Workload {
    /// Maps the whole file and reads stamps here and there. After half of its accesses it lets the page go
    /// again, so that there is always something to fault in.
    pub(super) fn read<P: Policy>(
        &self,
        mapping: &Arc<AddressSpace<P>>,
        round: &Round,
        seed: u64,
    ) -> Faults {
        let mut random = Rng::with_seed(seed);
        let mut faults = Faults::default();
        let process = Mm::new();
        let start = process.mmap(mapping, 0, self.blocks.pages, Sharing::Shared);
        while !round.is_over() {
            let (block, extent) = self.blocks.any(&mut random);
            let address = start + block * PAGE_SIZE as u64;
            if extent.is_none() && random.u8(..100) < self.mix {
                access(&process, address, Access::Write, round, &mut faults, || {
                    process.poke(address + 16, &[seed])
                });
            } else {
                let announced = extent.map_or(0, |nth| self.announced[nth as usize].load(Acquire));
                let mut stamp = [0; 2];
                let readable = access(&process, address, Access::Read, round, &mut faults, || {
                    process.peek(address, &mut stamp)
                });
                if readable {
                    faults.reads += 1;
                    faults.stale_reads += u64::from(blocks::generation(block, stamp) < announced);
                }
            }
            if random.bool() {
                process.madvise_dontneed(address, 1);
            }
        }
        faults
    }
}

/// Accesses the mapping, faulting if needed, and counts the faults. `false` if that failed: an I/O error,
/// which the mapping counts.
fn access<P: Policy>(
    process: &Mm<P>,
    address: u64,
    access: Access,
    round: &Round,
    faults: &mut Faults,
    mut succeeds: impl FnMut() -> bool,
) -> bool {
    while !succeeds() {
        let began = Instant::now();
        let Ok(faulted) = process.fault(address, access, Patience::DEFAULT) else {
            return false;
        };
        faults.latency.record(began.elapsed());
        faults.done += u64::from(!round.is_over());
        faults.write_faults += u64::from(access == Access::Write);
        faults.retries += u64::from(faulted.conflicts);
        faults.fallbacks += u64::from(faulted.fell_back);
    }
    true
}
