//! What the targets share: a lock without the bits, and how an input chooses.

#[cfg(feature = "sim")]
pub mod page_cache;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Wake, Waker};

use arbitrary::Arbitrary;
use seqschedlock::Conflict;

/// What a lock is: how many sections run, and how many have ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Model {
    pub running: usize,
    pub ended: u64,
}

impl Model {
    pub fn begin(&self) -> Result<u64, Conflict> {
        match self.running {
            0 => Ok(self.ended),
            _ => Err(Conflict::WriterRunning),
        }
    }

    pub fn check(&self, began: u64) -> Result<(), Conflict> {
        match self.begin()? == began {
            true => Ok(()),
            false => Err(Conflict::Race),
        }
    }

    /// Ends a running section, which has changed something or not.
    pub fn end(&mut self, ending: Ending) {
        self.running -= 1;
        self.ended += u64::from(ending == Ending::Drop);
    }
}

/// How a section ends.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Drop,
    Cancel,
}

impl Ending {
    pub fn end<S>(self, section: S, cancel: impl FnOnce(S)) {
        match self {
            Ending::Drop => drop(section),
            Ending::Cancel => cancel(section),
        }
    }
}

/// A choice among any number of things.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Pick(u8);

impl Pick {
    pub fn of(self, count: usize) -> Option<usize> {
        (count != 0).then(|| usize::from(self.0) % count)
    }

    pub fn from<T>(self, all: &mut Vec<T>) -> Option<T> {
        self.of(all.len()).map(|index| all.swap_remove(index))
    }
}

/// A waker that counts.
#[derive(Default)]
pub struct Bell(AtomicUsize);

impl Bell {
    pub fn waker(self: &Arc<Self>) -> Waker {
        Arc::clone(self).into()
    }

    /// Whether it has rung since it was last asked.
    pub fn rang(&self) -> bool {
        self.0.swap(0, SeqCst) != 0
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}
