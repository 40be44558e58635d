//! The checker under load: a reader of this crate's lock, while all other threads are writers.
//!
//! What a lookup sees of a process is small, and needs no stamp: an id that matched is enough. What the checker
//! sees is all of it, one part after the other. A stamp tells whether these parts were there together.

use super::check::Violation;
use super::mm::Mm;

impl Mm {
    /// Checks every invariant while other threads may be at work. `None` if one of them was, which makes the
    /// look worthless.
    ///
    /// # Panics
    ///
    /// If the process was not made to be [`observed`](Self::observed).
    #[must_use]
    pub fn observe(&self) -> Option<Result<(), Vec<Violation>>> {
        let changes = self.changes.as_ref();
        let changes = changes.expect("a process that is observed says when it changes");
        changes.try_read(|| self.check()).ok()
    }
}
