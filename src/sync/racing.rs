//! Bytes that one thread stores while others load them.

mod copy;

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
#[cfg(target_has_atomic = "64")]
use core::sync::atomic::AtomicU64;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, Ordering};

use bytemuck::NoUninit;

/// A plain value that is loaded and stored in pieces, each by a relaxed atomic access.
///
/// Small values are moved by one access instead (see [`WHOLE`](Self::WHOLE)).
#[repr(C, align(8))]
pub(crate) struct Racing<T>(UnsafeCell<T>);

// SAFETY: all shared access is atomic, and it moves values of `T` between threads.
unsafe impl<T: NoUninit + Send> Sync for Racing<T> {}

// No copy can be cut short by a panic: copying runs no foreign code.
impl<T> core::panic::RefUnwindSafe for Racing<T> {}

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

impl<T: NoUninit> Racing<T> {
    #[inline]
    pub(crate) const fn new(value: T) -> Self {
        Racing(UnsafeCell::new(value))
    }

    /// Loads what is there: a `T` only if nothing was stored during the load, else any mixture of bytes.
    #[inline]
    pub(crate) fn load(&self, to: &mut MaybeUninit<T>) {
        // SAFETY: `from` is the pointer of an `UnsafeCell`, aligned to 8 bytes, and `T: NoUninit` has no
        // uninitialised bytes; all concurrent access to it is by this function and by `store`. Nobody else
        // accesses `to`.
        unsafe { copy::load(self.0.get(), to.as_mut_ptr()) }
    }

    /// Stores a value. Only one thread at a time may call this: two would leave a mixture behind.
    #[inline]
    pub(crate) fn store(&self, value: &T) {
        // SAFETY: as in `load`.
        unsafe { copy::store(value, self.0.get()) }
    }

    /// Whether one access moves the value as a whole.
    pub(crate) const WHOLE: bool = matches!(size_of::<T>(), 1 | 2 | 4)
        || size_of::<T>() == 8 && cfg!(target_has_atomic = "64");

    /// Loads what was stored last. Only where one access moves the value as a [whole](Self::WHOLE).
    #[inline]
    pub(crate) fn load_whole(&self, order: Ordering, to: &mut MaybeUninit<T>) {
        let from = self.0.get();
        macro_rules! load {
            ($Atomic:ident, $Word:ty) => {{
                // SAFETY: as large as this atomic; the cell is aligned for the largest one, and all shared access
                // to it is by this function and by `store_whole`.
                let word = unsafe { &*from.cast::<$Atomic>() }.load(order);
                // SAFETY: as large as this word, and nobody else accesses it.
                unsafe { to.as_mut_ptr().cast::<$Word>().write_unaligned(word) };
            }};
        }
        for_size!(load);
    }

    /// Stores a value. Only where one access moves it as a [whole](Self::WHOLE).
    #[inline]
    pub(crate) fn store_whole(&self, value: &T, order: Ordering) {
        let to = self.0.get();
        macro_rules! store {
            ($Atomic:ident, $Word:ty) => {{
                // SAFETY: as large as this word, and `T: NoUninit` has no uninitialised bytes.
                let word = unsafe { (&raw const *value).cast::<$Word>().read_unaligned() };
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
