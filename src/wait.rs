//! How a reader waits for the writers to leave, and how the last of them wakes it.

#[cfg(feature = "park")]
mod park;
#[cfg(feature = "park")]
mod queue;
mod spin;
#[cfg(feature = "park")]
mod turns;
#[cfg(feature = "std")]
mod yield_now;

#[cfg(feature = "park")]
pub use park::Park;
pub use spin::Spin;
#[cfg(feature = "std")]
pub use yield_now::Yield;

use core::fmt;

use crate::sync::wait_init;
use crate::word::Running;

/// A waiting strategy: what a reader does while write sections run.
///
/// Writers never wait, so this concerns only readers that have met a writer. (Writers
/// of a `SeqSchedCell` wait for one another, in the same way.) Choose a strategy with the lock's type
/// parameter:
///
/// | strategy | a waiting reader | choose it if |
/// |---|---|---|
/// | [`Spin`] | spins | sections are a few instructions long and are never preempted; no `std` needed |
/// | `Yield` | gives up its time slice | sections are short but may be preempted |
/// | `Park` | spins briefly and then blocks; or awaits | sections sleep, do I/O, or are held across `.await` |
/// | your own | does what you say | you have a scheduler of your own |
///
/// # Writing your own
///
/// [`wait`](Self::wait) may return early: the caller looks again and calls it again if necessary. A
/// strategy that blocks must follow these steps in order, or wake-ups get lost:
///
/// 1. register with your queue, so that [`wake`](Self::wake) will find you;
/// 2. call [`Writers::request_wake`];
/// 3. block only if it returned `true`; on `false` nobody is left to wake you.
///
/// `wake` then runs after the request, on the thread of a writer that has already left, and sees
/// everything that was done before the request. It may run more than once for one request, and it
/// must wake *every* registered reader. It is never called unless a reader asked for it.
///
/// # Examples
///
/// A strategy that counts how often readers had to wait:
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use seqschedlock::{RawSeqSchedLock, Wait, Writers};
///
/// #[derive(Debug)]
/// struct Counted(AtomicUsize);
///
/// impl Wait for Counted {
///     const INIT: Self = Counted(AtomicUsize::new(0));
///
///     fn wait(&self, writers: &Writers<'_>) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///         while writers.running() {
///             std::thread::yield_now();
///         }
///     }
/// }
///
/// let lock = RawSeqSchedLock::<Counted>::new();
/// let writer = lock.write();
/// std::thread::scope(|threads| {
///     let reader = threads.spawn(|| lock.read_begin_wait());
///     while lock.wait_strategy().0.load(Ordering::Relaxed) == 0 {
///         std::thread::yield_now();
///     }
///     drop(writer);
///     assert_eq!(lock.read_end(reader.join().unwrap()), Ok(()));
/// });
/// ```
pub trait Wait: Sized {
    wait_init! { declare
        /// A strategy that nobody waits on yet: what a new lock starts with.
        ///
        /// (Under `--cfg loom` with the feature `loom` this is a function `init()`, because loom's types cannot be
        /// made in a constant.)
        #[allow(clippy::declare_interior_mutable_const, reason = "every lock gets a copy of its own")]
    }

    /// Waits until no write section runs, or for as long as seems right: the caller looks again.
    fn wait(&self, writers: &Writers<'_>);

    /// Wakes every registered reader. Called by the last writer out, if a reader asked for it.
    ///
    /// The default does nothing, which is right for strategies that never block.
    fn wake(&self) {}

    /// Whether this strategy ever calls [`Writers::request_wake`].
    ///
    /// A strategy that never does may say `false`. That spares the writers of a lock a test, and those of a
    /// `SeqSchedCell` an atomic operation. A strategy that says `false` and requests a wake-up anyway
    /// will wait for one that never comes.
    const WAKES: bool = true;

    /// The queue in which `Park` lines up the writers of a cell, each for its turn.
    ///
    /// Handing a turn to the wrong writer would tear the value, so no other strategy can have such a queue:
    /// only this crate can name the type of the argument.
    #[cfg(feature = "park")]
    #[doc(hidden)]
    fn lines_writers_up(&self, _: Internal) -> Option<&Park> {
        None
    }
}

#[cfg(feature = "park")]
pub(crate) use internal::Internal;

#[cfg(feature = "park")]
mod internal {
    /// What only this crate can name.
    #[derive(Debug)]
    pub struct Internal;
}

/// The writers of a lock, as a waiting reader sees them.
pub struct Writers<'a> {
    running: &'a (dyn Running + Sync),
}

impl<'a> Writers<'a> {
    #[inline]
    pub(crate) fn new(running: &'a (impl Running + Sync)) -> Self {
        Self { running }
    }

    /// Whether a write section runs. Only a hint (a relaxed load): use it to spin, and draw no conclusions from it.
    #[inline]
    #[must_use]
    pub fn running(&self) -> bool {
        self.running.writers() != 0
    }

    /// Asks the last writer out to call [`Wait::wake`].
    ///
    /// `true`: it will, and it will see everything the caller did before this call. `false`: no
    /// writer is left, so do not block.
    ///
    /// This call, and registering in its own queue before it, are the only writes of a reader to shared
    /// memory. Only a reader that is about to block makes them.
    #[must_use = "block only if this is true: otherwise nobody will wake you"]
    pub fn request_wake(&self) -> bool {
        self.running.request_wake()
    }
}

impl fmt::Debug for Writers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Writers")
            .field(&self.running.writers())
            .finish()
    }
}
