//! Bytes that one thread stores while others load them.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::Ordering;

use bytemuck::NoUninit;

/// A plain value that is loaded and stored in pieces, each of them a relaxed atomic access.
///
/// The pieces are as large as the alignment of `T` lets the copy assume; larger values, four words and
/// more, are copied in whole words from the first aligned byte on, which is their first one here.
#[repr(C, align(8))]
pub(crate) struct Racing<T>(UnsafeCell<T>);

// SAFETY: all shared access is atomic, and it moves values of `T` between threads.
unsafe impl<T: NoUninit + Send> Sync for Racing<T> {}

// A copy that is cut short by a panic does not exist: it runs nobody else's code.
impl<T> core::panic::RefUnwindSafe for Racing<T> {}

impl<T: NoUninit> Racing<T> {
    #[inline]
    pub(crate) const fn new(value: T) -> Self {
        Racing(UnsafeCell::new(value))
    }

    /// What is there: a `T` only if nothing was stored meanwhile, else any mixture of bytes.
    #[inline]
    pub(crate) fn load(&self) -> MaybeUninit<T> {
        // SAFETY: the pointer is one of an `UnsafeCell`, valid and aligned; `T: NoUninit` has no
        // uninitialised bytes; all concurrent access is by this function and by `store`, which
        // works on pieces of the same size.
        unsafe { atomic_memcpy::atomic_load(self.0.get(), Ordering::Relaxed) }
    }

    /// Stores a value. One thread at a time: two would leave a mixture behind.
    #[inline]
    pub(crate) fn store(&self, value: T) {
        // SAFETY: as in `load`.
        unsafe { atomic_memcpy::atomic_store(self.0.get(), value, Ordering::Relaxed) }
    }

    #[inline]
    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner()
    }
}
