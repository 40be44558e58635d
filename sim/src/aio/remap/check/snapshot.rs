//! A process as it is, for comparison with what it becomes.

use core::ops::Range;
use std::collections::BTreeMap;

use super::violation::{Changed, Violation};
use crate::aio::remap::areas::{Mapped, Object, Protection};
use crate::aio::remap::mm::Mm;
use crate::aio::remap::ring_file::PAGE_SIZE;
use crate::locks::lock;

/// A process at a moment, to compare with another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What is mapped, by address.
    pub pages: BTreeMap<u64, Page>,
    /// `user_id` and `mmap_base` of every context in the table, by its ring.
    pub contexts: BTreeMap<u64, (u64, u64)>,
}

/// What is mapped at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The ring or the memory that it belongs to: no two have the same number.
    pub number: u64,
    /// Whether that is a ring.
    pub ring: bool,
    /// Which page of it.
    pub offset: u64,
    /// What user space may do with it.
    pub protection: Protection,
}

impl From<&Mapped> for Page {
    fn from(mapped: &Mapped) -> Self {
        let (number, ring) = match &mapped.object {
            Object::Ring(file) => (file.inode, true),
            Object::Innocent { number, .. } => (*number, false),
        };
        Self {
            number,
            ring,
            offset: mapped.offset,
            protection: mapped.protection,
        }
    }
}

impl Snapshot {
    /// Checks that nothing has changed since, but for what is mapped in `ranges` (of addresses) and for the
    /// contexts of `rings`.
    ///
    /// A call that fails must pass this, and so must one that is to touch a single ring only.
    ///
    /// # Errors
    ///
    /// [`Violation::Changed`] for the first difference.
    pub fn unchanged_but(
        &self,
        now: &Self,
        ranges: &[Range<u64>],
        rings: &[u64],
    ) -> Result<(), Violation> {
        let differs = |at: &&u64| self.pages.get(at) != now.pages.get(at);
        let excused = |at: &u64| ranges.iter().any(|range| range.contains(at));
        let mut pages = self.pages.keys().chain(now.pages.keys()).filter(differs);
        let page = pages
            .find(|at| !excused(at))
            .map(|at| Changed::Page { at: *at });

        let differs = |ring: &&u64| self.contexts.get(ring) != now.contexts.get(ring);
        let mut contexts = self
            .contexts
            .keys()
            .chain(now.contexts.keys())
            .filter(differs);
        let context = contexts
            .find(|ring| !rings.contains(ring))
            .map(|ring| Changed::Context { ring: *ring });
        match page.or(context) {
            Some(what) => Err(Violation::Changed { what }),
            None => Ok(()),
        }
    }
}

impl Mm {
    /// What is mapped, and what the contexts believe.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let pages = lock(&self.page_table);
        let contexts = lock(&self.table);
        Snapshot {
            pages: pages
                .iter()
                .map(|(page, mapped)| (page * PAGE_SIZE, mapped.into()))
                .collect(),
            contexts: contexts
                .iter()
                .map(|ctx| (ctx.file.inode, (ctx.user_id(), ctx.mmap_base())))
                .collect(),
        }
    }
}
