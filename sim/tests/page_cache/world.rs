//! What the tests have in common.

use std::io;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use core::time::Duration;

use seqschedlock_sim::page_cache::{
    Access, AddressSpace, FileSystem, LockedPage, MemStore, MkWrite, Mm, PAGE_SIZE, PageRef,
    Patience, PlainFs, Policy, Sharing, Store, VmFault,
};

use crate::patience;

pub const PAGE: u64 = PAGE_SIZE as u64;
pub const PATIENCE: Patience = Patience::DEFAULT;

/// A file of `pages` pages in memory, all zero.
pub fn file<P: Policy>(pages: u64) -> Arc<AddressSpace<P>> {
    AddressSpace::new(
        MemStore::new(pages * PAGE, Duration::ZERO),
        PlainFs::default(),
    )
    .unwrap()
}

/// A process that maps all of `file` shared, and the address.
pub fn process<P: Policy>(file: &Arc<AddressSpace<P>>) -> (Mm<P>, u64) {
    let process = Mm::new();
    let address = process.mmap(file, 0, file.pages(), Sharing::Shared);
    (process, address)
}

pub fn read<P: Policy>(process: &Mm<P>, address: u64) -> u64 {
    let mut word = [0];
    process.read(address, &mut word, PATIENCE).unwrap();
    word[0]
}

pub fn write<P: Policy>(process: &Mm<P>, address: u64, word: u64) {
    process.write(address, &[word], PATIENCE).unwrap();
}

/// How an access of one word fails.
pub fn failure<P: Policy>(process: &Mm<P>, address: u64, access: Access) -> VmFault {
    match access {
        Access::Read => process.read(address, &mut [0], PATIENCE),
        Access::Write => process.write(address, &[0], PATIENCE),
    }
    .unwrap_err()
}

/// Every invariant holds now.
pub fn all_is_well<P: Policy>(file: &AddressSpace<P>) {
    assert_eq!(file.check(), Ok(()));
}

/// Runs `body` on a thread of its own, and fails if it does not end. A thread that is stuck is left behind.
///
/// The body has twice the usual time, so that a wait inside it fails first and says more.
#[track_caller]
pub fn must_end<T: Send + 'static>(what: &str, body: impl FnOnce() -> T + Send + 'static) -> T {
    let (running, has_ended) = channel::<()>();
    let named = thread::Builder::new().name(what.to_owned());
    let thread = named.spawn(move || {
        let _running = running; // dropped when the body returns or panics
        body()
    });
    let thread = thread.expect("there is room for a thread");
    let ended = has_ended.recv_timeout(2 * patience::PATIENCE);
    assert_ne!(
        ended,
        Err(RecvTimeoutError::Timeout),
        "waited in vain: {what}"
    );
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// A page of bytes that are all the same.
pub fn filled(byte: u8) -> [u8; PAGE_SIZE] {
    [byte; PAGE_SIZE]
}

/// How a page of bytes `byte` reads, word by word.
pub fn word_of(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// A store in memory that fails when it is told to.
#[derive(Clone, Debug)]
pub struct FailingStore {
    store: Arc<MemStore>,
    fails: Arc<AtomicBool>,
}

impl FailingStore {
    pub fn new(pages: u64) -> Self {
        FailingStore {
            store: Arc::new(MemStore::new(pages * PAGE, Duration::ZERO)),
            fails: Arc::default(),
        }
    }

    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, Relaxed);
    }

    fn or_fail(&self) -> io::Result<&MemStore> {
        match self.fails.load(Relaxed) {
            true => Err(io::Error::other("told to fail")),
            false => Ok(&self.store),
        }
    }
}

impl Store for FailingStore {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        self.or_fail()?.read_page(index, page)
    }
    fn write_page(&self, index: u64, bytes: &[u8]) -> io::Result<()> {
        self.or_fail()?.write_page(index, bytes)
    }
    fn size(&self) -> io::Result<u64> {
        self.or_fail()?.size()
    }
    fn set_size(&self, size: u64) -> io::Result<()> {
        self.or_fail()?.set_size(size)
    }
}

/// Signals that something has begun, and waits to be released.
#[derive(Debug)]
pub struct Halt {
    begun: Mutex<Sender<()>>,
    go: Mutex<Receiver<()>>,
}

/// The other ends of a [`Halt`]. Dropping it releases everything.
pub struct Brake {
    pub begun: Receiver<()>,
    pub go: Sender<()>,
}

impl Halt {
    pub fn new() -> (Self, Brake) {
        let (begun, has_begun) = channel();
        let (go, may_go) = channel();
        let halt = Halt {
            begun: Mutex::new(begun),
            go: Mutex::new(may_go),
        };
        let brake = Brake {
            begun: has_begun,
            go,
        };
        (halt, brake)
    }

    fn halt(&self) {
        // The holder of the brake may be gone: then there is nothing to wait for.
        let _ = self.begun.lock().unwrap().send(());
        let go = self.go.lock().unwrap().recv_timeout(patience::PATIENCE);
        assert_ne!(
            go,
            Err(RecvTimeoutError::Timeout),
            "waited in vain: to be let go"
        );
    }
}

/// A store in memory that halts before it reads, or before it writes.
#[derive(Debug)]
pub struct SlowStore {
    store: MemStore,
    slow: Access,
    halt: Halt,
}

impl SlowStore {
    pub fn new(pages: u64, slow: Access) -> (Self, Brake) {
        let (halt, brake) = Halt::new();
        let store = MemStore::new(pages * PAGE, Duration::ZERO);
        (SlowStore { store, slow, halt }, brake)
    }
}

impl Store for SlowStore {
    fn read_page(&self, index: u64, page: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        if self.slow == Access::Read {
            self.halt.halt();
        }
        self.store.read_page(index, page)
    }
    fn write_page(&self, index: u64, bytes: &[u8]) -> io::Result<()> {
        if self.slow == Access::Write {
            self.halt.halt();
        }
        self.store.write_page(index, bytes)
    }
    fn size(&self) -> io::Result<u64> {
        self.store.size()
    }
    fn set_size(&self, size: u64) -> io::Result<()> {
        self.store.set_size(size)
    }
}

/// A file system that halts in `release_page`.
#[derive(Debug)]
pub struct SlowFs(Halt);

impl SlowFs {
    pub fn new() -> (Self, Brake) {
        let (halt, brake) = Halt::new();
        (SlowFs(halt), brake)
    }
}

impl FileSystem for SlowFs {
    fn page_mkwrite(&self, _page: &PageRef) -> Result<MkWrite, VmFault> {
        Ok(MkWrite::Unlocked)
    }

    fn release_page(&self, _page: &LockedPage) {
        self.0.halt();
    }
}

/// Runs a generic test under each policy.
macro_rules! under_every_policy {
    ($($test:ident),* $(,)?) => {
        $(
            mod $test {
                use crate::world::must_end;
                use seqschedlock_sim::page_cache as sim;

                const NAME: &str = stringify!($test);

                #[test]
                fn unprotected() {
                    must_end(NAME, super::$test::<sim::Unprotected>);
                }
                #[test]
                fn as_posted() {
                    must_end(NAME, super::$test::<sim::AsPosted>);
                }
                #[test]
                fn commit() {
                    must_end(NAME, super::$test::<sim::Commit>);
                }
                #[test]
                fn striped() {
                    must_end(NAME, super::$test::<sim::Striped>);
                }
                #[test]
                fn page_lock() {
                    must_end(NAME, super::$test::<sim::PageLock>);
                }
                #[test]
                fn invalidate_rwlock() {
                    must_end(NAME, super::$test::<sim::InvalidateRwLock>);
                }
            }
        )*
    };
}
pub(crate) use under_every_policy;
