//! The same mutex, made of loom's.

use core::ops::DerefMut;

#[derive(Default)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn lock(&self) -> impl DerefMut<Target = T> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Always `None`: loom's `try_lock` blocks where it should fail. Only `Debug` calls this.
    pub(crate) fn try_lock(&self) -> Option<impl DerefMut<Target = T>> {
        None::<loom::sync::MutexGuard<'_, T>>
    }
}
