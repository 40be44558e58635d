//! What only `Park` can do: await the gate and the sections.

use super::GatedSeqSchedLock;
use crate::raw::WriteGuard;
use crate::sync::ATTEMPTS_BEFORE_THE_GATE;
use crate::wait::Park;

/// # Awaiting
///
/// These need no particular runtime, and no `std`. Dropping a future opens the gate and leaves nothing behind. Nothing
/// is published before the future is ready.
impl GatedSeqSchedLock<Park> {
    /// As [`read`](Self::read), but awaits what `look` returns, the gate and the sections.
    pub async fn read_async<F: Future>(&self, mut look: impl FnMut() -> F) -> F::Output {
        for _ in 0..ATTEMPTS_BEFORE_THE_GATE {
            let Ok(stamp) = self.lock.read_begin() else {
                continue;
            };
            let found = look().await;
            // Not `read_end`: the task may end on another thread than the one on which it looked.
            if self.lock.read_commit(stamp).is_ok() {
                return found;
            }
        }
        let gate = self.gate.lock_async().await;
        let _none_runs = self.lock.read_begin_async().await;
        let found = look().await;
        drop(gate); // see `write`
        found
    }

    /// As [`publish`](Self::publish), but awaits what `load` returns, the gate and the sections.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::{collections::HashMap, sync::Mutex};
    /// use seqschedlock::{GatedSeqSchedLock, Park};
    ///
    /// # async fn load(id: u64) -> String { format!("user {id}") }
    /// let gate = GatedSeqSchedLock::<Park>::new();
    /// let cache = Mutex::new(HashMap::new());
    ///
    /// let name = gate.publish_async(
    ///     async || load(7).await,
    ///     |name| { cache.lock().unwrap().insert(7, name.clone()); name },
    /// ).await;
    /// assert_eq!(name, "user 7");
    /// # }
    /// ```
    pub async fn publish_async<F: Future, R>(
        &self,
        mut load: impl FnMut() -> F,
        publish: impl FnOnce(F::Output) -> R,
    ) -> R {
        for _ in 0..ATTEMPTS_BEFORE_THE_GATE {
            let Ok(stamp) = self.lock.read_begin() else {
                continue;
            };
            let loaded = load().await;
            let gate = self.gate.lock_async().await;
            // Not `read_end`: the task may end on another thread than the one on which it loaded.
            if self.lock.read_commit(stamp).is_ok() {
                let published = publish(loaded);
                drop(gate); // see `write`
                return published;
            }
        }
        let gate = self.gate.lock_async().await;
        let _none_runs = self.lock.read_begin_async().await;
        let published = publish(load().await);
        drop(gate); // see `write`
        published
    }

    /// As [`write`](Self::write), but awaits the gate.
    ///
    /// Poll the future or drop it: one that has been woken and is kept without being polled holds up the line.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # async fn store(id: u64, name: &str) {}
    /// use seqschedlock::{GatedSeqSchedLock, Park};
    ///
    /// let gate = GatedSeqSchedLock::<Park>::new();
    /// let section = gate.write_async().await;
    /// // ... remove the entry ...
    /// store(7, "Anna").await;
    /// drop(section);
    /// # }
    /// ```
    pub async fn write_async(&self) -> WriteGuard<'_, Park> {
        let gate = self.gate.lock_async().await;
        let section = self.lock.write();
        drop(gate); // see `write`
        section
    }
}
