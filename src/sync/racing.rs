//! Bytes that one thread stores while others load them.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
#[cfg(target_has_atomic = "64")]
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32};

use bytemuck::NoUninit;

/// Picks the atomic that is as large as `T`.
macro_rules! for_size {
    ($access:ident) => {
        match size_of::<T>() {
            1 => $access!(AtomicU8, u8),
            2 => $access!(AtomicU16, u16),
            4 => $access!(AtomicU32, u32),
            #[cfg(target_has_atomic = "64")]
            8 => $access!(AtomicU64, u64),
            _ => unreachable!("asked only where `WHOLE` says so"),
        }
    };
}

/// A plain value that is loaded and stored in pieces, each of them a relaxed atomic access.
///
/// The pieces are as large as the alignment of `T` lets the copy assume; larger values, four words and
/// more, are copied in whole words from the first aligned byte on, which is their first one here. Small ones are
/// moved by one access (see [`WHOLE`](Self::WHOLE)).
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

    /// Whether one access moves the value as a whole.
    pub(crate) const WHOLE: bool = matches!(size_of::<T>(), 1 | 2 | 4)
        || size_of::<T>() == 8 && cfg!(target_has_atomic = "64");

    /// What was stored last. Only where one access moves the value as a [whole](Self::WHOLE).
    #[inline]
    pub(crate) fn load_whole(&self, order: Ordering) -> T {
        let value = self.0.get();
        let mut loaded = MaybeUninit::<T>::uninit();
        macro_rules! load {
            ($Atomic:ident, $Word:ty) => {{
                // SAFETY: both are as large as this atomic; the cell is aligned for the largest, and all that
                // is shared of it is accessed by this function and by `store_whole`.
                let word = unsafe { &*value.cast::<$Atomic>() }.load(order);
                // SAFETY: likewise; nobody else has this one.
                unsafe { loaded.as_mut_ptr().cast::<$Word>().write_unaligned(word) };
            }};
        }
        for_size!(load);
        // SAFETY: `T: NoUninit`, and these are the bytes of a value that was stored as a whole.
        unsafe { loaded.assume_init() }
    }

    /// Stores a value. Only where one access moves it as a [whole](Self::WHOLE).
    #[inline]
    pub(crate) fn store_whole(&self, value: T, order: Ordering) {
        let to = self.0.get();
        let value = &raw const value;
        macro_rules! store {
            ($Atomic:ident, $Word:ty) => {{
                // SAFETY: as large as this word, and `T: NoUninit` has no uninitialised bytes.
                let word = unsafe { value.cast::<$Word>().read_unaligned() };
                // SAFETY: as in `load_whole`.
                unsafe { &*to.cast::<$Atomic>() }.store(word, order);
            }};
        }
        for_size!(store);
    }

    #[inline]
    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner()
    }
}
