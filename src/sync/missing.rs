//! Stand-ins for atomics on a target that lacks the ones needed, so that the compiler reports this once instead of at
//! every use. Nothing here ever runs.

pub(crate) mod atomic {
    use core::marker::PhantomData;
    pub(crate) use core::sync::atomic::{Ordering, fence};

    pub(crate) type AtomicBool = Missing<bool>;
    pub(crate) type AtomicU32 = Missing<u32>;
    #[cfg(feature = "park")]
    pub(crate) type AtomicPtr<T> = Missing<*mut T>;

    pub(crate) struct Missing<T>(PhantomData<fn() -> T>);

    impl<T> Default for Missing<T> {
        fn default() -> Self {
            Self(PhantomData)
        }
    }

    #[allow(dead_code, reason = "which of them are used depends on the features")]
    impl<T: Copy> Missing<T> {
        pub(crate) const fn new(_: T) -> Self {
            Self(PhantomData)
        }

        pub(crate) fn load(&self, _: Ordering) -> T {
            unreachable!()
        }

        pub(crate) fn store(&self, _: T, _: Ordering) {}

        pub(crate) fn swap(&self, _: T, _: Ordering) -> T {
            unreachable!()
        }

        pub(crate) fn fetch_add(&self, _: T, _: Ordering) -> T {
            unreachable!()
        }

        pub(crate) fn fetch_sub(&self, _: T, _: Ordering) -> T {
            unreachable!()
        }

        pub(crate) fn fetch_and(&self, _: T, _: Ordering) -> T {
            unreachable!()
        }

        pub(crate) fn fetch_or(&self, _: T, _: Ordering) -> T {
            unreachable!()
        }

        pub(crate) fn compare_exchange(
            &self,
            _: T,
            _: T,
            _: Ordering,
            _: Ordering,
        ) -> Result<T, T> {
            unreachable!()
        }

        pub(crate) fn compare_exchange_weak(
            &self,
            _: T,
            _: T,
            _: Ordering,
            _: Ordering,
        ) -> Result<T, T> {
            unreachable!()
        }

        pub(crate) fn fetch_update(
            &self,
            _: Ordering,
            _: Ordering,
            _: impl FnMut(T) -> Option<T>,
        ) -> Result<T, T> {
            unreachable!()
        }
    }
}
