//! One page fault, as a policy sees it.

use core::fmt;
use std::io;

use crate::memory::{Memory, Opened};

/// A fault that is being served: what a policy may do about it.
///
/// Loads are what may fail. One that did is remembered, and what is then mapped is the refusal: the page is
/// poisoned instead. So a policy need not treat a failure as anything but another outcome to publish, which
/// has to be validated like the rest: an error that was true before an invalidation may not be after it.
pub struct Fault<'a, M: Memory> {
    page: usize,
    memory: &'a M,
    bytes: &'a mut M::Bytes,
    load: &'a mut dyn FnMut(&mut M::Bytes) -> io::Result<()>,
    served: Served,
}

/// What serving a fault came to.
#[derive(Debug, Default)]
pub struct Served {
    /// How often the page was loaded.
    pub loads: u32,
    /// How often that was for nothing, since an invalidation ran meanwhile.
    pub conflicts: u32,
    /// It lost so often that it held up invalidations to get through.
    pub took_turn: bool,
    /// Why there is no page.
    pub failure: Option<io::Error>,
    /// The page says so itself, to everybody who touches it.
    pub poisoned: bool,
}

impl<'a, M: Memory> Fault<'a, M> {
    /// A fault on `page`. `load` looks at the source, into `bytes`.
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

    /// Looks at the source. Slow.
    pub fn load(&mut self) {
        self.served.loads += 1;
        self.served.failure = (self.load)(self.bytes).err();
    }

    /// Maps what was loaded, or poisons the page if nothing was. Visible to all at once, and not to be taken
    /// back: whoever has seen it has seen it.
    pub fn map(&mut self) {
        if self.served.failure.is_none() {
            self.served.failure = self.memory.copy(self.page, self.bytes).err();
        }
        self.poison_if_failed();
    }

    /// Puts what was loaded behind the mapping, where nobody sees it. Does nothing if nothing was loaded.
    pub fn fill(&mut self) {
        if self.served.failure.is_none() {
            self.served.failure = self.memory.fill(self.page, self.bytes).err();
        }
    }

    /// Maps what is behind the mapping, or poisons the page if nothing was loaded. `false` if it has been
    /// taken out from there meanwhile.
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

    /// Takes out what this fault put behind the mapping, and has not opened.
    pub fn take_back(&self) {
        self.memory.take_out(self.page..self.page + 1);
    }

    /// Whether the load has failed, or what was tried with it.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.served.failure.is_some()
    }

    /// An invalidation ran meanwhile: all this was for nothing.
    pub fn lost(&mut self) {
        self.served.conflicts += 1;
    }

    /// This fault holds up invalidations from here on.
    pub fn takes_turn(&mut self) {
        self.served.took_turn = true;
    }

    /// What it came to.
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
