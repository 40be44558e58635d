//! Bytes that one thread stores while others load them, as loom can see them.
//!
//! `atomic-memcpy` is made of `core` atomics, about which loom knows nothing. This module has the same
//! interface and copies four bytes at a time through loom's atomics. So a model explores every mixture of
//! pieces that a load can see. The copy within a piece is not modelled.

use core::marker::PhantomData;
use core::mem::{MaybeUninit, size_of};
use std::boxed::Box;

use bytemuck::{NoUninit, bytes_of};
use loom::sync::atomic::{AtomicU32, Ordering};

pub(crate) struct Racing<T> {
    pieces: Box<[AtomicU32]>,
    value: PhantomData<T>,
}

impl<T: NoUninit> Racing<T> {
    pub(crate) fn new(value: T) -> Self {
        Racing {
            pieces: pieces_of(&value).map(AtomicU32::new).collect(),
            value: PhantomData,
        }
    }

    pub(crate) fn load(&self, to: &mut MaybeUninit<T>) {
        for (index, piece) in self.pieces.iter().enumerate() {
            let bytes = piece.load(Ordering::Relaxed).to_ne_bytes();
            let offset = index * bytes.len();
            // SAFETY: the piece starts inside the value, and is cut off at the end of the value.
            unsafe {
                let to = to.as_mut_ptr().cast::<u8>().add(offset);
                to.copy_from(bytes.as_ptr(), bytes.len().min(size_of::<T>() - offset));
            }
        }
    }

    pub(crate) fn store(&self, value: &T) {
        for (piece, bytes) in self.pieces.iter().zip(pieces_of(value)) {
            piece.store(bytes, Ordering::Relaxed);
        }
    }

    /// Whether one piece holds the value.
    pub(crate) const WHOLE: bool = matches!(size_of::<T>(), 1 | 2 | 4);

    pub(crate) fn load_whole(&self, order: Ordering, to: &mut MaybeUninit<T>) {
        let bytes = self.pieces[0].load(order).to_ne_bytes();
        // SAFETY: the piece has at least that many bytes.
        unsafe {
            to.as_mut_ptr()
                .cast::<u8>()
                .copy_from(bytes.as_ptr(), size_of::<T>())
        };
    }

    pub(crate) fn store_whole(&self, value: &T, order: Ordering) {
        pieces_of(value).for_each(|piece| self.pieces[0].store(piece, order));
    }

    pub(crate) fn into_inner(self) -> T {
        let mut value = MaybeUninit::uninit();
        self.load(&mut value);
        // SAFETY: nobody else can store any more, so what was stored last is whole.
        unsafe { value.assume_init() }
    }
}

fn pieces_of<T: NoUninit>(value: &T) -> impl Iterator<Item = u32> {
    bytes_of(value).chunks(size_of::<u32>()).map(|chunk| {
        let mut piece = [0; size_of::<u32>()];
        piece[..chunk.len()].copy_from_slice(chunk);
        u32::from_ne_bytes(piece)
    })
}
