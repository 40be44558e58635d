//! Sizes, and what may cross threads.
#![cfg(not(loom))]

use core::fmt::Debug;
use core::hash::Hash;
use core::mem::{align_of, size_of};
use core::sync::atomic::AtomicU64;

use seqschedlock::{Conflict, RawSeqSchedLock, Spin, Stamp, WriteGuard, Writers};
use static_assertions::{assert_impl_all, assert_not_impl_any, const_assert, const_assert_eq};

const_assert_eq!(size_of::<RawSeqSchedLock<Spin>>(), 8);
const_assert!(align_of::<RawSeqSchedLock<Spin>>() <= align_of::<AtomicU64>());
assert_impl_all!(RawSeqSchedLock<Spin>: Send, Sync, Debug, Default);
assert_impl_all!(WriteGuard<'static, Spin>: Send, Sync, Debug);
assert_not_impl_any!(WriteGuard<'static, Spin>: Clone, Copy);
assert_impl_all!(Stamp: Copy, Eq, Hash, Debug, Send, Sync);
assert_impl_all!(Conflict: Copy, Eq, Hash, Debug, Send, Sync, core::error::Error);
assert_impl_all!(Writers<'static>: Send, Sync, Debug);

#[cfg(feature = "std")]
const_assert_eq!(size_of::<RawSeqSchedLock<seqschedlock::Yield>>(), 8);

#[cfg(feature = "park")]
mod park {
    use super::*;
    use seqschedlock::Park;

    const_assert!(size_of::<RawSeqSchedLock<Park>>() <= 16);
    assert_impl_all!(RawSeqSchedLock<Park>: Send, Sync, Debug, Default);
    assert_impl_all!(WriteGuard<'static, Park>: Send, Sync, Debug);
}

// In a constant, which is what a static needs.
const _: RawSeqSchedLock<Spin> = RawSeqSchedLock::new();
