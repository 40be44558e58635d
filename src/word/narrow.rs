//! The layout for targets without 64-bit atomics: what does not fit in one word is in a second one.

pub(super) use super::split as lock;

pub(super) mod cell {
    pub(crate) use crate::sync::atomic::AtomicU32 as AtomicState;
    use crate::sync::{atomic::Ordering, const_fn};

    pub(crate) type State = u32;

    /// Whether [`Cycles`] counts anything.
    pub(crate) const COUNTS_CYCLES: bool = true;

    /// How often the sequence of a cell has wrapped, itself wrapping: the sequence's upper 32 bits.
    ///
    /// A writer in a tight loop wraps a sequence of 29 bits within seconds.
    pub(crate) struct Cycles(AtomicState);

    /// What a reader sees of it.
    pub(crate) type Cycle = u32;

    impl Cycles {
        const_fn! {
            #[inline]
            pub(crate) const fn new() -> Self {
                Self(AtomicState::new(0))
            }
        }

        #[inline]
        pub(crate) fn load(&self, order: Ordering) -> Cycle {
            self.0.load(order)
        }

        /// Counts one more cycle. Only the writer that has the turn may call this.
        #[inline]
        pub(crate) fn count(&self) {
            // Relaxed: nobody else stores; the fence after the entry and the leave order it.
            let cycle = self.0.load(Ordering::Relaxed);
            self.0.store(cycle.wrapping_add(1), Ordering::Relaxed);
        }

        /// The sequence with its upper bits. A hint: two loads are not a snapshot.
        pub(crate) fn extend(&self, sequence: State, bits: u32) -> u64 {
            u64::from(self.0.load(Ordering::Relaxed)) << bits | u64::from(sequence)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_cycles_wrap() {
            let cycles = Cycles(AtomicState::new(u32::MAX));
            assert_eq!(cycles.extend(5, 29), u64::MAX >> 3 & !((1 << 29) - 1) | 5);
            cycles.count();
            assert_eq!(cycles.load(Ordering::Relaxed), 0);
        }
    }
}
