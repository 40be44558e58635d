//! A mutex without poisoning, for data that is changed in a few instructions.

/// The mutex of `std`. Nothing that runs under it panics, so it is never poisoned. Even if it were, its value would
/// be intact.
#[cfg(feature = "std")]
#[derive(Default)]
pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

#[cfg(feature = "std")]
impl<T> Mutex<T> {
    pub(crate) fn lock(&self) -> impl core::ops::DerefMut<Target = T> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn try_lock(&self) -> Option<impl core::ops::DerefMut<Target = T>> {
        self.0.try_lock().ok()
    }
}

/// A mutex that spins, because without `std` no thread can block.
#[cfg(not(feature = "std"))]
#[derive(Default)]
pub(crate) struct Mutex<T> {
    locked: super::atomic::AtomicBool,
    value: core::cell::UnsafeCell<T>,
}

#[cfg(not(feature = "std"))]
mod spinning {
    use core::ops::{Deref, DerefMut};

    use super::Mutex;
    use crate::sync::Backoff;
    use crate::sync::atomic::Ordering;

    // SAFETY: the value is accessed only by the owner of the guard.
    unsafe impl<T: Send> Sync for Mutex<T> {}

    // The value is changed only by a few instructions that do not panic.
    impl<T> core::panic::RefUnwindSafe for Mutex<T> {}

    pub(crate) struct Guard<'a, T>(&'a Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn lock(&self) -> Guard<'_, T> {
            let backoff = Backoff::new();
            loop {
                if let Some(guard) = self.try_lock() {
                    return guard;
                }
                while self.locked.load(Ordering::Relaxed) {
                    backoff.spin();
                }
            }
        }

        pub(crate) fn try_lock(&self) -> Option<Guard<'_, T>> {
            // Pairs with the release of the previous guard.
            (!self.locked.swap(true, Ordering::Acquire)).then_some(Guard(self))
        }
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            // SAFETY: there is one guard at a time.
            unsafe { &*self.0.value.get() }
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: there is one guard at a time.
            unsafe { &mut *self.0.value.get() }
        }
    }

    impl<T> Drop for Guard<'_, T> {
        fn drop(&mut self) {
            self.0.locked.store(false, Ordering::Release);
        }
    }
}
