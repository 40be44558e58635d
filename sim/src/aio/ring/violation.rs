//! The ways in which a ring can be broken.

use core::fmt;

use crate::aio::lockdep::{self, LockClass};

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Violation {
    // Reported when it happens.
    /// Somebody used a page that had been freed.
    FreedPageTouched,
    /// Somebody used a context that had been freed.
    FreedContextTouched,
    /// A reference to a page was put that did not exist.
    PagePutTwice,
    /// The last reference to a context was put a second time, which frees it a second time.
    ContextPutTwice,
    /// A migration had lost its context by the time it wanted to unlock it.
    UnlockedThroughNull,
    /// A migration failed and left the new page in the cache.
    FailedAfterMove,
    /// A ring page was gone when it was needed.
    NoPage,
    /// The head in the ring is not the one that was written last.
    HeadLost,
    /// The tail in the ring is not the one that was written last.
    TailLost,
    /// An event was never read.
    EventLost,
    /// An event was read more than once.
    EventDoubled,
    /// Something was read that no completion had written yet.
    EventUnwritten,
    /// Threads wait for one another, in a circle.
    Deadlock,

    // Found at rest.
    /// Locks of these classes were taken in a circle: each inside the one before it, the first inside the
    /// last.
    LockCircle(Vec<LockClass>),
    /// A lock is still held.
    LockLeft {
        /// Its class.
        class: LockClass,
    },
    /// The id in the ring is not the place of the context in the table. Lookups will fail for ever.
    IdLost {
        /// What the ring says.
        id: u32,
        /// What the context says.
        expected: u32,
    },
    /// The page that the context uses is not the one in the cache.
    OtherPage {
        /// Its place in the ring.
        index: usize,
    },
    /// User space maps another page than the one in the cache.
    OtherPte {
        /// Its place in the ring.
        index: usize,
    },
    /// There are more or fewer references than those of the cache and of the context.
    References {
        /// The page.
        index: usize,
        /// How many there are.
        references: u32,
    },
    /// A page is in the cache and has no mapping.
    NoMapping {
        /// The page.
        index: usize,
    },
    /// A file has forgotten its context, or knows one that was torn down.
    PrivateData {
        /// How many files have a context.
        files: usize,
        /// How many contexts there are.
        contexts: usize,
    },
    /// Pages are alive that belong to no ring.
    PagesAlive {
        /// How many.
        pages: usize,
    },
    /// Contexts are alive that are in no table.
    ContextsAlive {
        /// How many.
        contexts: usize,
    },
    /// A context has other users than the table.
    Users {
        /// How many.
        users: u32,
    },
    /// Ring areas are mapped that belong to no context.
    AreasLeft {
        /// How many.
        areas: usize,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FreedPageTouched => f.write_str("a freed page is touched"),
            Self::FreedContextTouched => f.write_str("a freed context is touched"),
            Self::PagePutTwice => f.write_str("a page is put that nobody holds"),
            Self::ContextPutTwice => f.write_str("the last reference to a context is put twice"),
            Self::UnlockedThroughNull => f.write_str("ring_lock is unlocked through NULL"),
            Self::FailedAfterMove => f.write_str("a migration fails after it has moved the page"),
            Self::NoPage => f.write_str("a ring page is missing"),
            Self::HeadLost => f.write_str("the head that was written last is lost"),
            Self::TailLost => f.write_str("the tail that was written last is lost"),
            Self::EventLost => f.write_str("an event is lost"),
            Self::EventDoubled => f.write_str("an event is read twice"),
            Self::EventUnwritten => f.write_str("an event is read before it is written"),
            Self::Deadlock => f.write_str("threads wait for one another"),
            Self::LockCircle(classes) => lockdep::write_circle(f, classes),
            Self::LockLeft { class } => write!(f, "{class} is still held"),
            Self::IdLost { id, expected } => {
                write!(
                    f,
                    "the id is lost: the ring says {id} and the table {expected}"
                )
            }
            Self::OtherPage { index } => {
                write!(f, "page {index} of the context is not the one in the cache")
            }
            Self::OtherPte { index } => {
                write!(f, "page {index} in user space is not the one in the cache")
            }
            Self::References { index, references } => {
                write!(f, "page {index} has {references} references at rest")
            }
            Self::NoMapping { index } => {
                write!(f, "page {index} is in the cache without a mapping")
            }
            Self::PrivateData { files, contexts } => {
                write!(
                    f,
                    "files that know a context: {files}, contexts: {contexts}"
                )
            }
            Self::PagesAlive { pages } => {
                write!(f, "pages are alive that belong to no ring: {pages}")
            }
            Self::ContextsAlive { contexts } => {
                write!(f, "contexts are alive that are in no table: {contexts}")
            }
            Self::Users { users } => write!(f, "a context has {users} users at rest"),
            Self::AreasLeft { areas } => {
                write!(
                    f,
                    "ring areas are mapped that belong to no context: {areas}"
                )
            }
        }
    }
}
