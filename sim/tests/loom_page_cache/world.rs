//! What the models have in common: a small file, a process that maps it, and a check at the end.

use std::sync::Arc;

use core::time::Duration;

use loom::thread::{JoinHandle, spawn};
use seqschedlock_sim::page_cache::{
    Access, AddressSpace, Errno, FileSystem, MemStore, Mm, PAGE_SIZE, Patience, PlainFs, Policy,
    Sharing, VmFault,
};

/// A file of one page and a process that has mapped it.
pub struct World<P: Policy> {
    pub file: Arc<AddressSpace<P>>,
    pub process: Arc<Mm<P>>,
    pub address: u64,
}

impl<P: Policy> World<P> {
    pub fn new(file_system: impl FileSystem + 'static, sharing: Sharing) -> Self {
        let store = MemStore::new(PAGE_SIZE as u64, Duration::ZERO);
        let file = AddressSpace::new(store, file_system).unwrap();
        let process = Mm::new();
        let address = process.mmap(&file, 0, 1, sharing);
        World {
            file,
            process: Arc::new(process),
            address,
        }
    }

    /// The page is in the cache and not mapped.
    pub fn cached() -> Self {
        let world = Self::new(PlainFs::default(), Sharing::Shared);
        world
            .process
            .read(world.address, &mut [0], PATIENCE)
            .unwrap();
        world.process.madvise_dontneed(world.address, 1);
        world
    }

    /// The page is in the store only.
    pub fn cold() -> Self {
        Self::new(PlainFs::default(), Sharing::Shared)
    }

    /// Another thread of the process.
    pub fn spawn<R: 'static>(
        &self,
        act: impl FnOnce(&Mm<P>, u64) -> R + Send + 'static,
    ) -> JoinHandle<R> {
        let (process, address) = (Arc::clone(&self.process), self.address);
        spawn(move || act(&process, address))
    }

    /// A thread that faults the page in.
    pub fn fault(&self, access: Access, patience: Patience) -> JoinHandle<Result<(), VmFault>> {
        self.spawn(move |process, address| process.fault(address, access, patience).map(|_| ()))
    }

    /// A thread that writes the page back.
    pub fn writeback(&self) -> JoinHandle<Result<(), Errno>> {
        let file = Arc::clone(&self.file);
        spawn(move || file.filemap_write_and_wait_range(0..=0).map(|_| ()))
    }

    /// The word that user space reads.
    pub fn read(&self) -> u64 {
        read(&self.process, self.address)
    }

    /// Nothing is running any more: every invariant holds, while the process lives and after it.
    pub fn at_the_end(self) {
        must_hold(&self.file);
        drop(self.process);
        must_hold(&self.file);
    }
}

pub fn read<P: Policy>(process: &Mm<P>, address: u64) -> u64 {
    let mut word = [0];
    process.read(address, &mut word, PATIENCE).unwrap();
    word[0]
}

fn must_hold<P: Policy>(file: &AddressSpace<P>) {
    if let Err(violations) = file.check() {
        panic!("{}", violations[0]);
    }
}

/// The usual: the first conflict sends a fault to the page lock.
pub const PATIENCE: Patience = Patience::DEFAULT;

/// A fault that never falls back. It ends because the sections that it waits for do.
pub const STUBBORN: Patience = Patience {
    conflicts: u32::MAX,
    deadline: None,
};

/// Makes a test of a model for each of some policies.
macro_rules! for_policies {
    ($model:ident: $($test:ident $Policy:ty),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                $model::<$Policy>();
            }
        )*
    };
}
pub(crate) use for_policies;
