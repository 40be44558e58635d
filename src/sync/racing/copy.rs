//! Copies with one shared side, where each byte is a relaxed atomic access, as fast as the machine can do them.
//!
//! The portable copy goes word by word, because the language has no wider relaxed access. On x86-64, values of 64
//! bytes or more are moved by vector instructions inside `asm!`. The author of such a block declares what it does to
//! memory, and these blocks declare: *relaxed atomic accesses, byte by byte*. The machine does more than that, because
//! it tears no word, but torn values are thrown away, so this is all that is needed. Where two steps overlap, bytes
//! are loaded twice, or stored twice with the same value.
//!
//! The `asm!` blocks access only the shared side. To the compiler, the other side is plain memory, so it can often
//! build the value where it is wanted.
//!
//! Miri and ThreadSanitizer cannot look into `asm!`: under Miri, and with `--cfg seqschedlock_portable`, all copies
//! are portable.

pub(super) use inner::{load, store};

#[cfg(not(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    target_feature = "sse2",
    not(miri),
    not(seqschedlock_portable)
)))]
use portable as inner;
#[cfg(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    target_feature = "sse2",
    not(miri),
    not(seqschedlock_portable)
))]
use vectors as inner;

#[allow(dead_code, reason = "used by vectors, or in place of them")]
mod portable {
    use core::mem::MaybeUninit;
    use core::sync::atomic::Ordering::Relaxed;

    use bytemuck::NoUninit;

    /// Copies a value out of shared memory.
    ///
    /// # Safety
    ///
    /// `from` must be valid for reads and aligned to 8 bytes, and all concurrent access to it must be by functions
    /// of this module. `to` must be valid for writes, and nobody else may access it.
    #[inline(always)]
    pub(in super::super) unsafe fn load<T: NoUninit>(from: *mut T, to: *mut T) {
        // SAFETY: the caller's promise, and `T: NoUninit` has no uninitialised bytes.
        unsafe {
            to.cast::<MaybeUninit<T>>()
                .write(atomic_memcpy::atomic_load(from, Relaxed));
        }
    }

    /// Copies a value into shared memory.
    ///
    /// # Safety
    ///
    /// `to` must be valid for writes and aligned to 8 bytes, all concurrent access to it must be by functions of
    /// this module, and nobody else may store to it.
    #[inline(always)]
    pub(in super::super) unsafe fn store<T: NoUninit>(from: &T, to: *mut T) {
        // SAFETY: the caller's promise, and `T: NoUninit` has no uninitialised bytes.
        unsafe { atomic_memcpy::atomic_store(to, *from, Relaxed) }
    }
}

#[cfg(all(
    target_arch = "x86_64",
    target_pointer_width = "64",
    target_feature = "sse2",
    not(miri),
    not(seqschedlock_portable)
))]
mod vectors {
    use core::arch::asm;
    use core::arch::x86_64::{__m128i, __m256i};

    use bytemuck::NoUninit;

    use super::portable;

    /// From this many bytes on, vectors are faster than words.
    const LEAST: usize = 64;
    /// From this many bytes on, the longer vectors of AVX are faster, if the machine has them, and a call is worth
    /// its cost: the compiler can see what it does to the side that is not shared.
    const LARGE: usize = 256;
    /// From this many bytes on, an extra step to align the others pays off.
    const LEAST_TO_ALIGN: usize = 1024;

    /// As [`portable::load`].
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(always)]
    pub(in super::super) unsafe fn load<T: NoUninit>(from: *mut T, to: *mut T) {
        let size = size_of::<T>();
        // SAFETY: the caller's promise, and the size.
        unsafe {
            if size < LEAST {
                portable::load(from, to);
            } else if size < LARGE {
                load_by_16(from.cast(), to.cast(), size);
            } else {
                load_large(from, to);
            }
        }
    }

    /// As [`portable::store`].
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(always)]
    pub(in super::super) unsafe fn store<T: NoUninit>(from: &T, to: *mut T) {
        let size = size_of::<T>();
        // SAFETY: the caller's promise, and the size.
        unsafe {
            if size < LEAST {
                portable::store(from, to);
            } else if size < LARGE {
                store_by_16((&raw const *from).cast(), to.cast(), size);
            } else {
                store_large(from, to);
            }
        }
    }

    #[inline(always)]
    fn has_avx() -> bool {
        #[cfg(feature = "std")]
        return std::is_x86_feature_detected!("avx");
        #[cfg(not(feature = "std"))]
        return cfg!(target_feature = "avx");
    }

    /// # Safety
    ///
    /// As [`load`]; the size is at least [`LARGE`].
    #[inline(always)]
    unsafe fn load_large<T>(from: *mut T, to: *mut T) {
        let (from, to, size) = (from.cast(), to.cast(), size_of::<T>());
        // SAFETY: the caller's promise, and that the machine has AVX.
        unsafe {
            if has_avx() {
                load_by_32(from, to, size);
            } else {
                load_by_16(from, to, size);
            }
        }
    }

    /// # Safety
    ///
    /// As [`store`]; the size is at least [`LARGE`].
    #[inline(never)]
    unsafe fn store_large<T>(from: &T, to: *mut T) {
        let (from, to, size) = ((&raw const *from).cast(), to.cast(), size_of::<T>());
        // SAFETY: the caller's promise, and that the machine has AVX.
        unsafe {
            if has_avx() {
                store_by_32(from, to, size);
            } else {
                store_by_16(from, to, size);
            }
        }
    }

    /// Evaluates `$step` at the offsets at which it must move `$bytes` bytes each, so that all `$size` bytes are moved: at
    /// 0, from `$second` on one after the other, and at last so that the step ends where the value does. Steps may overlap.
    macro_rules! steps {
        ($bytes:literal of $size:ident, second at $second:expr, |$offset:ident| $step:expr) => {{
            let last = $size - $bytes;
            let mut next = 0;
            let mut after = $second;
            while next < last {
                let $offset = next;
                $step;
                (next, after) = (after, after + $bytes);
            }
            let $offset = last;
            $step;
        }};
    }

    /// Loads four vectors at `$from`, and writes them to `$to`.
    macro_rules! load_four {
        ($instruction:literal, $Vector:ty, $class:ident, $from:expr, $to:expr) => {{
            let from: *const u8 = $from;
            let [a, b, c, d]: [$Vector; 4];
            asm!(
                concat!($instruction, " {a}, [{from}]"),
                concat!($instruction, " {b}, [{from} + {size}]"),
                concat!($instruction, " {c}, [{from} + 2 * {size}]"),
                concat!($instruction, " {d}, [{from} + 3 * {size}]"),
                from = in(reg) from,
                size = const size_of::<$Vector>(),
                a = out($class) a,
                b = out($class) b,
                c = out($class) c,
                d = out($class) d,
                options(nostack, preserves_flags, readonly),
            );
            $to.cast::<[$Vector; 4]>().write_unaligned([a, b, c, d]);
        }};
    }

    /// Reads four vectors at `$from`, and stores them to `$to`.
    macro_rules! store_four {
        ($instruction:literal, $Vector:ty, $class:ident, $from:expr, $to:expr) => {{
            let [a, b, c, d] = $from.cast::<[$Vector; 4]>().read_unaligned();
            let to: *mut u8 = $to;
            asm!(
                concat!($instruction, " [{to}], {a}"),
                concat!($instruction, " [{to} + {size}], {b}"),
                concat!($instruction, " [{to} + 2 * {size}], {c}"),
                concat!($instruction, " [{to} + 3 * {size}], {d}"),
                to = in(reg) to,
                size = const size_of::<$Vector>(),
                a = in($class) a,
                b = in($class) b,
                c = in($class) c,
                d = in($class) d,
                options(nostack, preserves_flags),
            );
        }};
    }

    /// # Safety
    ///
    /// Both must be valid for `size` bytes, which is at least [`LEAST`]. The shared side must be accessed only by
    /// functions of this module.
    #[inline(always)]
    unsafe fn load_by_16(from: *const u8, to: *mut u8, size: usize) {
        // SAFETY: the caller's promise, and no step goes beyond `size`.
        steps!(64 of size, second at 64, |offset| unsafe {
            load_four!("movups", __m128i, xmm_reg, from.add(offset), to.add(offset));
        });
    }

    /// # Safety
    ///
    /// As [`load_by_16`].
    #[inline(always)]
    unsafe fn store_by_16(from: *const u8, to: *mut u8, size: usize) {
        // SAFETY: the caller's promise, and no step goes beyond `size`.
        steps!(64 of size, second at 64, |offset| unsafe {
            store_four!("movups", __m128i, xmm_reg, from.add(offset), to.add(offset));
        });
    }

    /// For large values, the second step starts where the destination is aligned, because stores that cross a cache line
    /// are slow.
    ///
    /// # Safety
    ///
    /// As [`load_by_16`]; the size is at least [`LARGE`], and the machine has AVX.
    #[target_feature(enable = "avx")]
    unsafe fn load_by_32(from: *const u8, to: *mut u8, size: usize) {
        let second = match size < LEAST_TO_ALIGN {
            true => 128,
            false => 32 - to.addr() % 32,
        };
        // SAFETY: the caller's promise, and no step goes beyond `size`.
        steps!(128 of size, second at second, |offset| unsafe {
            load_four!("vmovups", __m256i, ymm_reg, from.add(offset), to.add(offset));
        });
    }

    /// Keeps the alignment of the source, not that of the destination. The source has often just been written, and a
    /// load that takes bytes from two such stores must wait for both.
    ///
    /// # Safety
    ///
    /// As [`load_by_32`].
    #[target_feature(enable = "avx")]
    unsafe fn store_by_32(from: *const u8, to: *mut u8, size: usize) {
        // SAFETY: the caller's promise, and no step goes beyond `size`.
        steps!(128 of size, second at 128, |offset| unsafe {
            store_four!("vmovups", __m256i, ymm_reg, from.add(offset), to.add(offset));
        });
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        type Copy = unsafe fn(*const u8, *mut u8, usize);

        /// Copies `size` bytes between unaligned places, and checks that all of them and no others were written.
        fn check(copies: [Copy; 2], size: usize, off: [usize; 2]) {
            let from: [u8; 6000] = core::array::from_fn(|index| (index % 251) as u8);
            for copy in copies {
                let mut to = [255; 6000];
                // SAFETY: there is room for `size` bytes, and nobody else.
                unsafe {
                    copy(from.as_ptr().add(off[0]), to.as_mut_ptr().add(off[1]), size);
                }
                let (before, rest) = to.split_at(off[1]);
                let (copied, after) = rest.split_at(size);
                assert_eq!(copied, &from[off[0]..][..size], "{size} bytes at {off:?}");
                assert!(before.iter().chain(after).all(|byte| *byte == 255));
            }
        }

        fn sizes(least: usize) -> impl Iterator<Item = usize> {
            (least..700).chain([1000, 1024, 4095, 4096, 5001])
        }

        #[test]
        fn steps_of_64_bytes_copy_all_and_nothing_else() {
            for size in sizes(LEAST) {
                check([load_by_16, store_by_16], size, [8, 16]);
                check([load_by_16, store_by_16], size, [24, size % 67]);
            }
        }

        #[cfg(feature = "std")]
        #[test]
        fn steps_of_128_bytes_copy_all_and_nothing_else() {
            // SAFETY: only called where the machine has AVX.
            let copies: [Copy; 2] = [
                |from, to, size| unsafe { load_by_32(from, to, size) },
                |from, to, size| unsafe { store_by_32(from, to, size) },
            ];
            for size in sizes(LARGE).filter(|_| has_avx()) {
                for off in [0, 1, 8, 31, 32, 40] {
                    check(copies, size, [8, off]);
                }
            }
        }
    }
}
