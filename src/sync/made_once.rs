//! A value on the heap, behind one pointer, that is made on first use.

use alloc::boxed::Box;
use core::marker::PhantomData;
use core::ptr;

use super::atomic::{AtomicPtr, Ordering};
use super::const_fn;

pub(crate) struct MadeOnce<T> {
    value: AtomicPtr<T>,
    owned: PhantomData<T>,
}

impl<T: Default> MadeOnce<T> {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self { value: AtomicPtr::new(ptr::null_mut()), owned: PhantomData }
        }
    }

    /// The value, if it has been made.
    pub(crate) fn get(&self) -> Option<&T> {
        // Acquire: pairs with the exchange that put it there.
        let value = self.value.load(Ordering::Acquire);
        // SAFETY: null, or made by `Box::into_raw` below and freed with `self`.
        unsafe { value.as_ref() }
    }

    /// The value, made now if it has not been made before.
    pub(crate) fn get_or_make(&self) -> &T {
        self.get().unwrap_or_else(|| self.make())
    }

    #[cold]
    fn make(&self) -> &T {
        let made = Box::into_raw(Box::<T>::default());
        let there =
            self.value
                .compare_exchange(ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire);
        match there {
            // SAFETY: it stays until `self` is dropped.
            Ok(_) => unsafe { &*made },
            Err(others) => {
                // SAFETY: nobody else has seen ours, and the other one stays until `self` is dropped.
                unsafe {
                    drop(Box::from_raw(made));
                    &*others
                }
            }
        }
    }
}

impl<T> Drop for MadeOnce<T> {
    fn drop(&mut self) {
        let value = self.value.load(Ordering::Acquire);
        if !value.is_null() {
            // SAFETY: made by `Box::into_raw`, and no references to it are left.
            drop(unsafe { Box::from_raw(value) });
        }
    }
}
