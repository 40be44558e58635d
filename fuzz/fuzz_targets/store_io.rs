//! Stores: a real file does what memory does, and a page cache above a failing store keeps its
//! invariants and reports each failure.
#![no_main]

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use seqschedlock_sim::page_cache::{FileStore, MemStore, PAGE_SIZE, Policy, Store};
use seqschedlock_fuzz::page_cache::{Index, Job, Operation, Policies, Size, World, direct_bytes};

#[derive(Arbitrary, Debug)]
enum Input {
    /// The same to a file, to memory and to a vector.
    Stores { size: Size, calls: Vec<Call> },
    /// A page cache above a store that fails some calls.
    Failing(Policies, Failing),
}

#[derive(Arbitrary, Debug)]
struct Step {
    operation: Operation,
    /// Which of the first eight calls of the store fail, a bit for each.
    failing: u8,
}

#[derive(Arbitrary, Debug)]
enum Call {
    Read(Index),
    ReadBeyond(u64),
    Write(Index, u16, u8),
    WriteBeyond(u64),
    SetSize(Size),
}

/// Pages whose bytes no file can have.
fn beyond(index: u64) -> u64 {
    index | 1 << 52
}

fn stores(size: Size, calls: Vec<Call>) {
    let file = FileStore::new(tempfile::tempfile().expect("a scratch file"));
    file.set_size(size.get()).expect("a file can be empty");
    let memory = MemStore::new(size.get(), Duration::ZERO);
    let stores: [&dyn Store; 2] = [&file, &memory];
    let mut bytes = vec![0; size.get() as usize];
    for call in calls {
        for (nth, store) in stores.into_iter().enumerate() {
            match call {
                Call::Read(index) => {
                    let mut page = [0xaa; PAGE_SIZE];
                    store
                        .read_page(index.get(), &mut page)
                        .expect("it can be read");
                    let start = bytes.len().min(index.get() as usize * PAGE_SIZE);
                    let there = &bytes[start..bytes.len().min(start + PAGE_SIZE)];
                    assert_eq!(&page[..there.len()], there);
                    assert!(page[there.len()..].iter().all(|byte| *byte == 0));
                }
                Call::ReadBeyond(index) => {
                    store
                        .read_page(beyond(index), &mut [0; PAGE_SIZE])
                        .unwrap_err();
                }
                Call::Write(index, length, seed) => {
                    let length = 1 + usize::from(length) % PAGE_SIZE;
                    let written = &direct_bytes(seed)[..length];
                    store
                        .write_page(index.get(), written)
                        .expect("it can be written");
                    if nth == 0 {
                        let start = index.get() as usize * PAGE_SIZE;
                        bytes.resize(bytes.len().max(start + length), 0);
                        bytes[start..start + length].copy_from_slice(written);
                    }
                }
                Call::WriteBeyond(index) => {
                    store.write_page(beyond(index), &[1]).unwrap_err();
                }
                Call::SetSize(size) => {
                    store
                        .set_size(size.get())
                        .expect("it can be cut and extended");
                    bytes.resize(size.get() as usize, 0);
                }
            }
            assert_eq!(store.size().expect("it has a size"), bytes.len() as u64);
        }
    }
}

/// A store that fails when told to.
#[derive(Debug)]
struct Flaky {
    store: Arc<MemStore>,
    control: Arc<Control>,
}

#[derive(Debug, Default)]
struct Control {
    /// Whether the next calls fail, the lowest bit first.
    failing: AtomicU8,
    failed: AtomicU64,
}

impl Flaky {
    fn call(&self) -> io::Result<()> {
        let Control { failing, failed } = &*self.control;
        let fails = failing.load(Relaxed);
        failing.store(fails >> 1, Relaxed);
        match fails & 1 {
            0 => Ok(()),
            _ => {
                failed.fetch_add(1, Relaxed);
                Err(io::ErrorKind::Other.into())
            }
        }
    }
}

impl Store for Flaky {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        self.call()?;
        self.store.read_page(index, page)
    }

    fn write_page(&self, index: u64, bytes: &[u8]) -> io::Result<()> {
        self.call()?;
        self.store.write_page(index, bytes)
    }

    fn size(&self) -> io::Result<u64> {
        self.store.size()
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.call()?;
        self.store.set_size(size)
    }
}

/// Checks that what a file was extended by reads as zeros.
fn assert_zeros(store: &MemStore, new: Range<u64>) {
    for index in new.start / PAGE_SIZE as u64..new.end.div_ceil(PAGE_SIZE as u64) {
        let mut page = [0xaa; PAGE_SIZE];
        store.read_page(index, &mut page).expect("it can be read");
        let first = new.start.saturating_sub(index * PAGE_SIZE as u64) as usize;
        assert!(
            page[first..].iter().all(|byte| *byte == 0),
            "page {index} in {new:?}"
        );
    }
}

#[derive(Arbitrary, Debug)]
struct Failing {
    keeps_metadata: bool,
    size: Size,
    steps: Vec<Step>,
}

impl Job for Failing {
    fn run<P: Policy>(self) {
        let control = Arc::new(Control::default());
        let below = Arc::new(MemStore::new(self.size.get(), Duration::ZERO));
        let store = Flaky {
            store: Arc::clone(&below),
            control: Arc::clone(&control),
        };
        let mut world = World::<P>::new(store, self.keeps_metadata).expect("it tells its size");
        for Step { operation, failing } in self.steps {
            control.failing.store(failing, Relaxed);
            let before = control.failed.load(Relaxed);
            let size_before = world.file.size();
            let outcome = world.apply(operation);
            let failed = control.failed.load(Relaxed);
            assert_eq!(world.file.io_errors(), failed);
            assert!(
                failed == before || outcome.failed(),
                "{operation:?} kept a failure to itself"
            );
            if let (Operation::Truncate(size), false) = (operation, outcome.failed()) {
                assert_zeros(&below, size_before..size.get());
            }

            control.failing.store(0, Relaxed); // the check must not fail
            assert_eq!(world.file.check(), Ok(()));
        }
        world.exit();
        assert_eq!(world.file.check(), Ok(()));
    }
}

fuzz_target!(|input: Input| {
    match input {
        Input::Stores { size, calls } => stores(size, calls),
        Input::Failing(policy, failing) => policy.run(failing),
    }
});
