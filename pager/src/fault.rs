//! One page fault, as a policy sees it.

use core::fmt;
use std::io;

use crate::memory::{Memory, Opened};

/// A fault that is being served, with the steps that a policy serves it in.
///
/// A load may fail. Then [`map`](Self::map) and [`open`](Self::open) poison the page instead of mapping it.
/// A policy has to validate a failure before it publishes it, just like a page: the load may succeed after
/// the invalidation that overtook it.
pub struct Fault<'a, M: Memory> {
    page: usize,
    memory: &'a M,
    bytes: &'a mut M::Bytes,
    load: &'a mut dyn FnMut(&mut M::Bytes) -> io::Result<()>,
    served: Served,
}

/// The result of serving a fault.
#[derive(Debug, Default)]
pub struct Served {
    /// How often the page was loaded.
    pub loads: u32,
    /// How many of these loads were wasted because an invalidation ran meanwhile.
    pub conflicts: u32,
    /// Whether it kept the gate to get through, after too many conflicts.
    pub took_turn: bool,
    /// Why there is no page, if there is none.
    pub failure: Option<io::Error>,
    /// Whether the page is poisoned. If not, a failure concerns this fault only.
    pub poisoned: bool,
}

impl<'a, M: Memory> Fault<'a, M> {
    /// A fault on `page`. `load` reads the source into `bytes`.
    pub fn new(
        page: usize,
        memory: &'a M,
        bytes: &'a mut M::Bytes,
        load: &'a mut dyn FnMut(&mut M::Bytes) -> io::Result<()>,
    ) -> Self {
        Self {
            page,
            memory,
            bytes,
            load,
            served: Served::default(),
        }
    }

    /// The page that was touched.
    #[must_use]
    pub fn page(&self) -> usize {
        self.page
    }

    /// Loads the page from the source. Slow.
    pub fn load(&mut self) {
        self.served.loads += 1;
        self.served.failure = (self.load)(self.bytes).err();
    }

    /// Maps the loaded page, or poisons it if the load failed. Every thread can read it at once, so this
    /// cannot be undone.
    pub fn map(&mut self) {
        if self.served.failure.is_none() {
            self.served.failure = self.memory.copy(self.page, self.bytes).err();
        }
        self.poison_if_failed();
    }

    /// Puts the loaded page behind the mapping, where no thread can read it. Does nothing if the load failed.
    pub fn fill(&mut self) {
        if self.served.failure.is_none() {
            self.served.failure = self.memory.fill(self.page, self.bytes).err();
        }
    }

    /// Maps the page that is behind the mapping, or poisons it if the load failed. `false` if the page has been
    /// taken out meanwhile.
    #[must_use]
    pub fn open(&mut self) -> bool {
        if self.served.failure.is_none() {
            match self.memory.open(self.page) {
                Ok(Opened::Mapped) => return true,
                Ok(Opened::Gone) => return false,
                Err(error) => self.served.failure = Some(error),
            }
        }
        self.poison_if_failed();
        true
    }

    /// Takes out the page that this fault put behind the mapping and has not opened.
    pub fn take_back(&self) {
        self.memory.take_out(self.page..self.page + 1);
    }

    /// Whether the load has failed, or the attempt to map it.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.served.failure.is_some()
    }

    /// Counts a conflict: an invalidation ran meanwhile, and the load was wasted.
    pub fn lost(&mut self) {
        self.served.conflicts += 1;
    }

    /// Notes that this fault keeps the gate from here on.
    pub fn takes_turn(&mut self) {
        self.served.took_turn = true;
    }

    /// The result.
    #[must_use]
    pub fn served(self) -> Served {
        self.served
    }

    fn poison_if_failed(&mut self) {
        if self.failed() {
            self.served.poisoned = self.memory.poison(self.page);
        }
    }
}

impl<M: Memory> fmt::Debug for Fault<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("page", &self.page)
            .field("served", &self.served)
            .finish_non_exhaustive()
    }
}
