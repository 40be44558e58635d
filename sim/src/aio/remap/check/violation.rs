//! What can be wrong with a process, and the messages that say so.

use core::fmt;

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
        /// Where the first page left is.
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
    /// A context does not have the table as its only user.
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

/// What two [`Snapshot`](super::Snapshot)s differ in.
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
