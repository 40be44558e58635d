//! The mutex of the real thing, as loom explores it.

use core::ops::DerefMut;

#[derive(Default)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn lock(&self) -> impl DerefMut<Target = T> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Never: loom's own blocks where it should fail. Only `Debug` asks.
    pub(crate) fn try_lock(&self) -> Option<impl DerefMut<Target = T>> {
        None::<loom::sync::MutexGuard<'_, T>>
    }
}
