//! Everything that can hand out a copy of a plain value, behind one trait.
#![allow(dead_code, reason = "one bench reads, another writes")]

use std::cell::UnsafeCell;

use std::sync::Arc;

use seqschedlock::{Park, SeqSchedCell, Spin};

/// The plain value: `N` words.
pub type Words<const N: usize> = [u64; N];

/// A value that several threads may copy out and replace as a whole.
pub trait Snapshot<const N: usize>: Sync {
    const NAME: &'static str;
    fn new(value: Words<N>) -> Self;
    fn load(&self) -> Words<N>;
    fn store(&self, value: Words<N>);
}

/// No lock at all: the copy that everything else is measured against. Only for one thread.
pub struct BareCopy<const N: usize>(UnsafeCell<Words<N>>);

// SAFETY: not true in general; benches use it from one thread at a time.
unsafe impl<const N: usize> Sync for BareCopy<N> {}

impl<const N: usize> Snapshot<N> for BareCopy<N> {
    const NAME: &'static str = "bare copy";
    fn new(value: Words<N>) -> Self {
        Self(UnsafeCell::new(value))
    }
    #[inline]
    fn load(&self) -> Words<N> {
        // SAFETY: one thread.
        unsafe { self.0.get().read_volatile() }
    }
    #[inline]
    fn store(&self, value: Words<N>) {
        // SAFETY: one thread.
        unsafe { self.0.get().write_volatile(value) }
    }
}

macro_rules! cell {
    ($($W:ty => $name:literal;)*) => {$(
        impl<const N: usize> Snapshot<N> for SeqSchedCell<Words<N>, $W> {
            const NAME: &'static str = $name;
            fn new(value: Words<N>) -> Self {
                SeqSchedCell::new(value)
            }
            #[inline]
            fn load(&self) -> Words<N> {
                SeqSchedCell::load(self)
            }
            #[inline]
            fn store(&self, value: Words<N>) {
                SeqSchedCell::store(self, value);
            }
        }
    )*};
}

cell! {
    Spin => "SeqSchedCell<Spin>";
    Park => "SeqSchedCell<Park>";
}

macro_rules! rivals {
    ($($Type:ty => $name:literal, $new:expr, |$it:ident| $load:expr, |$this:ident, $value:ident| $store:expr;)*) => {$(
        impl<const N: usize> Snapshot<N> for $Type {
            const NAME: &'static str = $name;
            fn new(value: Words<N>) -> Self {
                $new(value)
            }
            #[inline]
            fn load(&self) -> Words<N> {
                let $it = self;
                $load
            }
            #[inline]
            fn store(&self, $value: Words<N>) {
                let $this = self;
                $store
            }
        }
    )*};
}

rivals! {
    seqlock::SeqLock<Words<N>> => "seqlock::SeqLock", Self::new,
        |it| it.read(), |it, value| *it.lock_write() = value;
    crossbeam_utils::atomic::AtomicCell<Words<N>> => "crossbeam AtomicCell", Self::new,
        |it| it.load(), |it, value| it.store(value);
    arc_swap::ArcSwap<Words<N>> => "arc-swap", Self::from_pointee,
        |it| **it.load(), |it, value| it.store(Arc::new(value));
    std::sync::RwLock<Words<N>> => "std RwLock", Self::new,
        |it| *it.read().unwrap(), |it, value| *it.write().unwrap() = value;
    parking_lot::RwLock<Words<N>> => "parking_lot RwLock", Self::new,
        |it| *it.read(), |it, value| *it.write() = value;
    std::sync::Mutex<Words<N>> => "std Mutex", Self::new,
        |it| *it.lock().unwrap(), |it, value| *it.lock().unwrap() = value;
    parking_lot::Mutex<Words<N>> => "parking_lot Mutex", Self::new,
        |it| *it.lock(), |it, value| *it.lock() = value;
}

/// Calls `$visit::<Type>(args)` for every contender with `$N` words.
#[macro_export]
macro_rules! for_each_snapshot {
    ($N:expr, $visit:ident($($argument:expr),*)) => {{
        $visit::<$N, rivals::BareCopy<$N>>($($argument),*);
        $visit::<$N, seqschedlock::SeqSchedCell<rivals::Words<$N>, seqschedlock::Spin>>($($argument),*);
        $visit::<$N, seqschedlock::SeqSchedCell<rivals::Words<$N>, seqschedlock::Park>>($($argument),*);
        $visit::<$N, seqlock::SeqLock<rivals::Words<$N>>>($($argument),*);
        $visit::<$N, crossbeam_utils::atomic::AtomicCell<rivals::Words<$N>>>($($argument),*);
        $visit::<$N, arc_swap::ArcSwap<rivals::Words<$N>>>($($argument),*);
        $visit::<$N, std::sync::RwLock<rivals::Words<$N>>>($($argument),*);
        $visit::<$N, parking_lot::RwLock<rivals::Words<$N>>>($($argument),*);
        $visit::<$N, std::sync::Mutex<rivals::Words<$N>>>($($argument),*);
        $visit::<$N, parking_lot::Mutex<rivals::Words<$N>>>($($argument),*);
    }};
}
