//! The layout for targets with 64-bit atomics: one word has room for everything.

pub(super) use super::packed as lock;

pub(super) mod cell {
    pub(crate) use crate::sync::atomic::AtomicU64 as AtomicState;
    use crate::sync::atomic::Ordering;

    pub(crate) type State = u64;

    /// Whether [`Cycles`] counts anything.
    pub(crate) const COUNTS_CYCLES: bool = false;

    /// Nothing: a sequence of 61 bits does not wrap in practice.
    pub(crate) struct Cycles;

    /// What a reader sees of it.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Cycle;

    impl Cycles {
        #[inline]
        pub(crate) const fn new() -> Self {
            Cycles
        }

        #[inline(always)]
        pub(crate) fn load(&self, _order: Ordering) -> Cycle {
            Cycle
        }

        #[inline(always)]
        pub(crate) fn count(&self) {}

        pub(crate) fn extend(&self, sequence: State, _bits: u32) -> u64 {
            sequence
        }
    }
}
