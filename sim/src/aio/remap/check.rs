//! What must be true of a process whenever no system call is under way.

use core::fmt;
use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::areas::{Areas, Object, Protection};
use super::kioctx::KioCtx;
use super::locks::lock;
use super::mm::Mm;
use super::ring_file::{PAGE_SIZE, RingFile};

#[cfg(test)]
mod tests;

/// An invariant that does not hold. A ring is named by its inode, a place by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Violation {
    /// `user_id` is not where the ring, or the piece of it that moved last, was moved to.
    UserId {
        /// The ring.
        ring: u64,
        /// What it says.
        user_id: u64,
        /// Where the ring is.
        at: u64,
    },
    /// The same for `mmap_base`: `io_destroy` will unmap something else.
    MmapBase {
        /// The ring.
        ring: u64,
        /// What it says.
        mmap_base: u64,
        /// Where the ring is.
        at: u64,
    },
    /// A ring that was only ever moved whole is not in one area at its place.
    Areas {
        /// The ring.
        ring: u64,
        /// How many there are.
        areas: usize,
        /// Where the ring should be.
        at: u64,
    },
    /// The context is destroyed, and its ring is still mapped.
    RingLeft {
        /// The ring.
        ring: u64,
        /// Where its first page is that is left.
        at: u64,
    },
    /// `io_destroy` has unmapped pages that were not of its ring.
    InnocentUnmapped {
        /// How many there were.
        pages: u64,
    },
    /// The address where a ring lies is not an id of its context.
    NewIdUnknown {
        /// The ring.
        ring: u64,
        /// Where it is.
        at: u64,
    },
    /// An address where a ring does not lie is an id of its context.
    OldIdAnswers {
        /// The ring.
        ring: u64,
        /// The id.
        id: u64,
    },
    /// A context is dead and in the table.
    DeadInTable {
        /// Its ring.
        ring: u64,
    },
    /// A context is alive and not in the table at its index.
    NotInTable {
        /// Its ring.
        ring: u64,
    },
    /// A context has another number of users than the table alone.
    Users {
        /// Its ring.
        ring: u64,
        /// How many it has.
        users: usize,
    },
    /// Contexts that are neither in the table nor freed.
    Leaked {
        /// How many.
        contexts: u64,
    },
    /// A freed context was used, or freed again.
    FreedContextTouched {
        /// How often.
        times: u64,
    },
    /// User space came to a page of a ring whose context was freed. Kernels until 2026 can oops there.
    LeftoverTouched {
        /// How often.
        times: u64,
    },
    /// A hook looked for a context in a process that has no table. Kernels until 2023 oops there.
    NullTable {
        /// How often.
        times: u64,
    },
    /// A page, or where a context believes its ring to lie, is not as it was.
    Changed {
        /// The page, or the ring of the context.
        what: Changed,
    },
}

/// What two [`Snapshot`]s differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Changed {
    /// What is mapped at an address.
    Page {
        /// The address.
        at: u64,
    },
    /// A context.
    Context {
        /// Its ring.
        ring: u64,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UserId { ring, user_id, at } => {
                write!(
                    f,
                    "ring {ring} is at {at:#x}, but its user_id is {user_id:#x}"
                )
            }
            Self::MmapBase {
                ring,
                mmap_base,
                at,
            } => {
                write!(
                    f,
                    "ring {ring} is at {at:#x}, but its mmap_base is {mmap_base:#x}"
                )
            }
            Self::Areas { ring, areas, at } => write!(
                f,
                "ring {ring} was only moved whole, to {at:#x}, but it is not one area there: it has {areas}"
            ),
            Self::RingLeft { ring, at } => write!(
                f,
                "the context of ring {ring} is destroyed, but the ring is left at {at:#x}"
            ),
            Self::InnocentUnmapped { pages } => {
                write!(
                    f,
                    "io_destroy unmapped {pages} pages that were not of its ring"
                )
            }
            Self::NewIdUnknown { ring, at } => {
                write!(f, "ring {ring} is at {at:#x}, but no context has that id")
            }
            Self::OldIdAnswers { ring, id } => {
                write!(
                    f,
                    "the id {id:#x} finds the context of ring {ring}, which is not there"
                )
            }
            Self::DeadInTable { ring } => {
                write!(f, "the context of ring {ring} is dead, but in the table")
            }
            Self::NotInTable { ring } => {
                write!(
                    f,
                    "the context of ring {ring} is alive, but not in the table"
                )
            }
            Self::Users { ring, users } => {
                write!(f, "the context of ring {ring} has {users} users at rest")
            }
            Self::Leaked { contexts } => {
                write!(f, "{contexts} contexts are neither in the table nor freed")
            }
            Self::FreedContextTouched { times } => {
                write!(
                    f,
                    "a freed context was used, or freed again ({times} times)"
                )
            }
            Self::LeftoverTouched { times } => {
                write!(
                    f,
                    "a page of a ring without context was accessed ({times} times)"
                )
            }
            Self::NullTable { times } => write!(
                f,
                "the hook followed a null pointer: the process has no table ({times} times)"
            ),
            Self::Changed {
                what: Changed::Page { at },
            } => {
                write!(f, "what is mapped at {at:#x} has changed")
            }
            Self::Changed {
                what: Changed::Context { ring },
            } => {
                write!(f, "the context of ring {ring} has changed")
            }
        }
    }
}

/// A ring of which pages are mapped: where, in order.
struct Pages {
    file: Arc<RingFile>,
    mapped: Vec<u64>,
}

impl Mm {
    /// Checks every invariant at a quiet moment: no system call of the process is under way.
    ///
    /// # Errors
    ///
    /// All that is wrong.
    pub fn check(&self) -> Result<(), Vec<Violation>> {
        let mut wrong = self.counted();
        let rings = self.rings();
        let contexts: Vec<_> = lock(&self.table).iter().cloned().collect();

        for ctx in &contexts {
            let pages = rings.get(&ctx.file.inode);
            self.check_context(ctx, pages.map_or(&[], |pages| &pages.mapped), &mut wrong);
        }
        for Pages { file, mapped } in rings.values() {
            self.check_ring(file, mapped, &mut wrong);
        }
        self.check_ids(&mut wrong);

        let alive = contexts.iter().filter(|ctx| !ctx.is_dead()).count() as u64;
        let leaked = self.census.contexts.get().abs_diff(alive);
        if leaked != 0 {
            wrong.push(Violation::Leaked { contexts: leaked });
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong),
        }
    }

    /// What has gone wrong at some time.
    fn counted(&self) -> Vec<Violation> {
        let census = &self.census;
        let counts = [
            (
                &census.innocents_unmapped,
                (|pages| Violation::InnocentUnmapped { pages }) as fn(u64) -> _,
            ),
            (&census.freed_contexts_touched, |times| {
                Violation::FreedContextTouched { times }
            }),
            (&census.leftovers_touched, |times| {
                Violation::LeftoverTouched { times }
            }),
            (&census.null_tables, |times| Violation::NullTable { times }),
        ];
        let happened = counts.into_iter().filter(|(count, _)| count.get() != 0);
        happened
            .map(|(count, violation)| violation(count.get()))
            .collect()
    }

    /// The rings of this process of which pages are mapped.
    fn rings(&self) -> BTreeMap<u64, Pages> {
        let mut rings = BTreeMap::new();
        for (page, mapped) in lock(&self.page_table).iter() {
            let ours = mapped.ring().filter(|file| file.is_of(&self.census));
            let Some(file) = ours else { continue };
            let entry = rings.entry(file.inode).or_insert_with(|| Pages {
                file: Arc::clone(file),
                mapped: Vec::new(),
            });
            entry.mapped.push(page);
        }
        rings
    }

    fn check_context(&self, ctx: &Arc<KioCtx>, mapped: &[u64], wrong: &mut Vec<Violation>) {
        let ring = ctx.file.inode;
        if ctx.is_dead() {
            wrong.push(Violation::DeadInTable { ring });
            return;
        }
        let at = ctx.file.history.moved_to.load(Relaxed);
        let (user_id, mmap_base, users) = (ctx.user_id(), ctx.mmap_base(), ctx.users());
        if user_id != at {
            wrong.push(Violation::UserId { ring, user_id, at });
        }
        if mmap_base != at {
            wrong.push(Violation::MmapBase {
                ring,
                mmap_base,
                at,
            });
        }
        if users != 1 {
            wrong.push(Violation::Users { ring, users });
        }
        if !ctx.file.intact() {
            return;
        }
        let first = at / PAGE_SIZE;
        let whole: Vec<u64> = (first..first + ctx.file.pages).collect();
        let areas = lock(&self.page_table).areas_of(&ctx.file);
        if areas != 1 || mapped != whole {
            wrong.push(Violation::Areas { ring, areas, at });
        } else if !self.peek(at).is_some_and(|found| Arc::ptr_eq(&found, ctx)) {
            wrong.push(Violation::NewIdUnknown { ring, at });
        }
    }

    fn check_ring(&self, file: &Arc<RingFile>, mapped: &[u64], wrong: &mut Vec<Violation>) {
        let ring = file.inode;
        if lock(&self.table).of(file).is_some() {
            return;
        }
        if !file.history.freed.load(Relaxed) {
            wrong.push(Violation::NotInTable { ring });
        } else if file.intact() {
            let at = mapped[0] * PAGE_SIZE;
            wrong.push(Violation::RingLeft { ring, at });
        }
    }

    /// No address is an id but those where rings lie.
    fn check_ids(&self, wrong: &mut Vec<Violation>) {
        let pages: Vec<u64> = lock(&self.page_table)
            .iter()
            .map(|(page, _)| page)
            .collect();
        for id in pages.into_iter().map(|page| page * PAGE_SIZE) {
            let Some(found) = self.peek(id) else { continue };
            if found.file.history.moved_to.load(Relaxed) != id {
                let ring = found.file.inode;
                wrong.push(Violation::OldIdAnswers { ring, id });
            }
        }
    }

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

impl Areas {
    /// In how many areas a ring is.
    fn areas_of(&self, file: &Arc<RingFile>) -> usize {
        let is_ours = |piece: &Range<u64>| {
            let mapped = self.get(piece.start).and_then(|mapped| mapped.ring());
            mapped.is_some_and(|ring| Arc::ptr_eq(ring, file))
        };
        self.pieces(0..u64::MAX)
            .iter()
            .filter(|piece| is_ours(piece))
            .count()
    }
}

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

impl From<&super::areas::Mapped> for Page {
    fn from(mapped: &super::areas::Mapped) -> Self {
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
    /// This is what a call that fails has to stand, and one that is to touch a single ring.
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
