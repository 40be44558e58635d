//! The ways in which a retry can go wrong.

use core::fmt;

use crate::aio::lockdep::{self, LockClass};

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Violation {
    // Reported when it happens.
    /// Somebody used an iocb that had been freed.
    FreedIocbTouched,
    /// Somebody used a context that had been freed.
    FreedContextTouched,
    /// A waker was about to queue an iocb that waits for something else. The kernel warns, or stops.
    KickedWhileWaiting,
    /// A retry began before its condition came true, in a method that looks once.
    RetryWhileWaiting,
    /// The same in a method that looks twice. It does no harm there, since the method looks again.
    SpuriousRetry,
    /// Two retries of one iocb ran at the same time.
    TwoRetries,
    /// An iocb is on the run list twice.
    QueuedTwice,
    /// An iocb completed twice.
    CompletedTwice,
    /// An iocb completed while a wait of it was queued. The kernel stops.
    CompletedWhileWaiting,

    // Found at rest.
    /// What an iocb waits for has happened, and it will never run again.
    WakeupLost {
        /// Its number.
        iocb: u64,
    },
    /// An iocb has completed, and somebody still has a reference to it.
    Users {
        /// Its number.
        iocb: u64,
        /// How many references there are.
        users: u32,
    },
    /// An iocb is on the run list, and no work was started that would run it.
    QueuedWithoutWork,
    /// Iocbs are alive that the context does not know.
    IocbsAlive {
        /// How many.
        iocbs: usize,
    },
    /// Locks of these classes were taken in a circle: each inside the one before it, the first inside the
    /// last.
    LockCircle(Vec<LockClass>),
    /// A lock is still held.
    LockLeft {
        /// Its class.
        class: LockClass,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FreedIocbTouched => f.write_str("a freed iocb is touched"),
            Self::FreedContextTouched => f.write_str("a freed context is touched"),
            Self::KickedWhileWaiting => {
                f.write_str("an iocb is kicked while a wait of it is queued")
            }
            Self::RetryWhileWaiting => f.write_str("a retry begins while a wait is queued"),
            Self::SpuriousRetry => f.write_str("a retry begins for nothing"),
            Self::TwoRetries => f.write_str("two retries run at a time"),
            Self::QueuedTwice => f.write_str("an iocb is on the run list twice"),
            Self::CompletedTwice => f.write_str("an iocb completes twice"),
            Self::CompletedWhileWaiting => {
                f.write_str("an iocb completes while a wait of it is queued")
            }
            Self::WakeupLost { iocb } => {
                write!(f, "a wake-up is lost: iocb {iocb} never runs again")
            }
            Self::Users { iocb, users } => {
                write!(f, "iocb {iocb} has completed and has {users} references")
            }
            Self::QueuedWithoutWork => {
                f.write_str("an iocb is on the run list and no work was started")
            }
            Self::IocbsAlive { iocbs } => {
                write!(f, "iocbs are alive that no context knows: {iocbs}")
            }
            Self::LockCircle(classes) => lockdep::write_circle(f, classes),
            Self::LockLeft { class } => write!(f, "{class} is still held"),
        }
    }
}
