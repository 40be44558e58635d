//! What only `Park` can do: wait with a deadline, and await.

#[cfg(all(feature = "std", not(target_family = "wasm")))]
use {core::time::Duration, std::time::Instant};

use core::future::poll_fn;
use core::task::Poll;

use super::RawSeqSchedLock;
use crate::conflict::Stamp;
use crate::wait::{Park, Writers};

/// # Deadlines
///
/// These need threads and a clock: the feature `std`, and a target other than WebAssembly.
#[cfg(all(feature = "std", not(target_family = "wasm")))]
impl RawSeqSchedLock<Park> {
    /// As [`read_begin_wait`](Self::read_begin_wait), but gives up after `timeout`.
    ///
    /// A zero timeout returns at once; a positive one is waited out in full. A timeout too long for
    /// the clock means no timeout. A wait that is given up leaves nothing behind.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use seqschedlock::{Park, RawSeqSchedLock};
    ///
    /// let lock = RawSeqSchedLock::<Park>::new();
    /// let section = lock.write();
    /// assert_eq!(lock.read_begin_timeout(Duration::from_millis(1)), None);
    /// drop(section);
    /// assert!(lock.read_begin_timeout(Duration::ZERO).is_some());
    /// ```
    #[must_use]
    pub fn read_begin_timeout(&self, timeout: Duration) -> Option<Stamp> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.read_begin_deadline(deadline),
            None => Some(self.read_begin_wait()),
        }
    }

    /// As [`read_begin_wait`](Self::read_begin_wait), but gives up at `deadline`.
    ///
    /// If the deadline has already passed, it returns at once.
    #[must_use]
    pub fn read_begin_deadline(&self, deadline: Instant) -> Option<Stamp> {
        loop {
            if let Ok(stamp) = self.read_begin() {
                return Some(stamp);
            }
            if !self.wait.wait_until(&Writers::new(&self.word), deadline) {
                // The last look: the writers may have left while the wait was being given up.
                return self.read_begin().ok();
            }
        }
    }
}

/// # Awaiting
///
/// These need no particular runtime, and no `std`. They neither spin nor block while write sections
/// run. After an attempt that raced they yield to other tasks, so that a timeout around them can
/// end them. Their futures are `Send` if the closures and what they return are.
///
/// Closures may be `async ||`, and may borrow what they share. The compiler refuses one whose future borrows
/// what it changes, such as `async || n += 1`: share an atomic or a [`Cell`](core::cell::Cell) instead.
/// (`AsyncFnMut` would accept it, but then no future of a closure that borrows anything could be given to
/// `tokio::spawn`.)
///
/// The last writer out calls the wakers without holding any lock: [`Park`] says what they may do.
///
/// A future that is dropped while it waits for writers leaves nothing behind: it leaves the queue,
/// and if it had asked to be woken, the last writer out wakes the others, or nobody.
impl RawSeqSchedLock<Park> {
    /// As [`read_begin_wait`](Self::read_begin_wait), but awaits the last writer out.
    ///
    /// # Examples
    ///
    /// A few attempts, then the source without the cache. For a deadline, put your runtime's timeout
    /// around `read_begin_async()`, which may be dropped at any moment, and not around the whole of
    /// `get`: what `get` had published would stay, as [`publish_async`](Self::publish_async) explains.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use seqschedlock::{Park, RawSeqSchedLock};
    ///
    /// # async fn fill_the_cache() -> u32 { 7 }
    /// # async fn take_back(_ours: u32) {}
    /// # async fn ask_the_source() -> u32 { 7 }
    /// async fn get(lock: &RawSeqSchedLock<Park>) -> u32 {
    ///     for _ in 0..3 {
    ///         let stamp = lock.read_begin_async().await;
    ///         let value = fill_the_cache().await;
    ///         if lock.read_commit(stamp).is_ok() {
    ///             return value;
    ///         }
    ///         take_back(value).await; // what this attempt published, nothing else
    ///     }
    ///     ask_the_source().await
    /// }
    ///
    /// assert_eq!(get(&RawSeqSchedLock::new()).await, 7);
    /// # }
    /// ```
    pub async fn read_begin_async(&self) -> Stamp {
        loop {
            if let Ok(stamp) = self.read_begin() {
                return stamp;
            }
            self.wait.wake_up(&Writers::new(&self.word)).await;
        }
    }

    /// As [`read`](Self::read), but awaits what `look` returns, and the writers.
    ///
    /// Ordering: as [`read_commit`](Self::read_commit), because a task may end on another thread than
    /// the one on which it looked.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use seqschedlock::{Park, RawSeqSchedLock};
    ///
    /// # async fn ask(_: &str) -> u32 { 1 }
    /// let lock = RawSeqSchedLock::<Park>::new();
    /// let both = lock.read_async(async || [ask("one").await, ask("other").await]).await;
    /// assert_eq!(both[0], both[1]);
    /// # }
    /// ```
    pub async fn read_async<F: Future>(&self, mut look: impl FnMut() -> F) -> F::Output {
        loop {
            let stamp = self.read_begin_async().await;
            {
                let found = look().await;
                if self.read_commit(stamp).is_ok() {
                    return found;
                }
            }
            give_way().await;
        }
    }

    /// As [`publish`](Self::publish), but awaits what `attempt` and `retract` return, and the writers. Do not use
    /// it around a cache that runs one load for many waiters either: use [`Fenced`](crate::Fenced) there.
    ///
    /// # Dropping the future
    ///
    /// Once the future is dropped, nothing more can be awaited. If it is dropped while it waits for writers, or
    /// yields to other tasks, nothing is left behind. While `attempt` runs, it is as if `attempt` had
    /// panicked: nothing is retracted, so make publishing its last step, and one that does not await after
    /// it is visible. While `retract` runs, what `retract` has not yet taken back stays. If callers may give
    /// up (a timeout, a `select`), run the whole in its own task, or let `retract` do its work before
    /// its first `.await`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::{collections::HashMap, sync::{Arc, Mutex}};
    /// use seqschedlock::{Park, RawSeqSchedLock};
    ///
    /// # async fn load(key: u32) -> Arc<u32> { Arc::new(key * 2) }
    /// let lock = RawSeqSchedLock::<Park>::new();
    /// let cache = Mutex::new(HashMap::new());
    ///
    /// let value = lock.publish_async(
    ///     async || {
    ///         let value = load(21).await; // slow, from the source
    ///         cache.lock().unwrap().insert(21, Arc::clone(&value));
    ///         value
    ///     },
    ///     async |ours| {
    ///         let mut cache = cache.lock().unwrap();
    ///         if cache.get(&21).is_some_and(|there| Arc::ptr_eq(there, &ours)) {
    ///             cache.remove(&21);
    ///         }
    ///     },
    /// ).await;
    /// assert_eq!(*value, 42);
    /// # }
    /// ```
    pub async fn publish_async<F: Future, G: Future<Output = ()>>(
        &self,
        mut attempt: impl FnMut() -> F,
        mut retract: impl FnMut(F::Output) -> G,
    ) -> F::Output {
        loop {
            let stamp = self.read_begin_async().await;
            let published = attempt().await;
            match self.read_commit(stamp) {
                Ok(()) => return published,
                Err(_) => retract(published).await,
            }
            give_way().await;
        }
    }
}

/// Yields once, so that the runtime can run other tasks.
///
/// Otherwise, attempts that are ready at once would follow one another within one poll for as long as
/// they race, and nothing around them would run, not even a timeout.
async fn give_way() {
    let mut given = false;
    poll_fn(|context| {
        if given {
            return Poll::Ready(());
        }
        given = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
