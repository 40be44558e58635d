//! Four words that belong together, behind each lock.

use std::cell::UnsafeCell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use seqschedlock::{Conflict, Park, SeqSchedCell, SeqSchedLock, Spin, Wait};

type Words = [u64; 4];

/// How a look went.
pub enum Look {
    Good,
    /// It was wasted: a writer came and went.
    Raced,
    /// It was wasted, or not begun: a writer is there.
    Refused,
}

impl From<Conflict> for Look {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Race => Look::Raced,
            Conflict::WriterRunning => Look::Refused,
        }
    }
}

/// A look at a contender that waits by itself is always good. A look that reports a conflict is counted
/// as what it met, and waits before the next.
pub trait Contender: Sync {
    const NAME: &'static str;
    fn new() -> Self;
    fn look(&self) -> Look;
    /// Writes `value` and calls `hold` in the middle of it.
    fn write(&self, value: u64, hold: impl FnOnce());
}

fn check(words: Words) -> Look {
    assert_eq!(words, [words[0]; 4], "torn");
    black_box(words);
    Look::Good
}

impl<W: Wait + Sync> Contender for SeqSchedLock<[AtomicU64; 4], W>
where
    W: Named,
{
    const NAME: &'static str = W::LOCK;
    fn new() -> Self {
        Self::default()
    }
    #[inline]
    fn look(&self) -> Look {
        let look = |words: &[AtomicU64; 4]| words.each_ref().map(|word| word.load(Relaxed));
        match self.try_read(look) {
            Ok(words) => check(words),
            Err(conflict) => {
                if conflict == Conflict::WriterRunning {
                    let _ = self.raw().read_begin_wait();
                }
                conflict.into()
            }
        }
    }
    fn write(&self, value: u64, hold: impl FnOnce()) {
        let section = self.write();
        section[0].store(value, Relaxed);
        hold();
        for word in &section[1..] {
            word.store(value, Relaxed);
        }
    }
}

impl<W: Wait + Sync + Named> Contender for SeqSchedCell<Words, W> {
    const NAME: &'static str = W::CELL;
    fn new() -> Self {
        Self::new([0; 4])
    }
    #[inline]
    fn look(&self) -> Look {
        match self.try_load() {
            Ok(words) => check(words),
            Err(conflict) => {
                if conflict == Conflict::WriterRunning {
                    black_box(self.load()); // waits
                }
                conflict.into()
            }
        }
    }
    fn write(&self, value: u64, hold: impl FnOnce()) {
        let mut mine = self.lock();
        *mine = [value; 4];
        hold();
    }
}

/// The names of a strategy's locks in the tables.
pub trait Named {
    const LOCK: &'static str;
    const CELL: &'static str;
}

impl Named for Spin {
    const LOCK: &'static str = "SeqSchedLock<Spin>";
    const CELL: &'static str = "SeqSchedCell<Spin>";
}

impl Named for Park {
    const LOCK: &'static str = "SeqSchedLock<Park>";
    const CELL: &'static str = "SeqSchedCell<Park>";
}

macro_rules! rivals {
    ($($Type:ty => $name:literal, $new:expr, |$it:ident| $load:expr,
        |$this:ident, $value:ident, $hold:ident| $store:block)*) => {$(
        impl Contender for $Type {
            const NAME: &'static str = $name;
            fn new() -> Self {
                $new([0; 4])
            }
            #[inline]
            fn look(&self) -> Look {
                let $it = self;
                check($load)
            }
            fn write(&self, $value: u64, $hold: impl FnOnce()) {
                let $this = self;
                $store
            }
        }
    )*};
}

rivals! {
    seqlock::SeqLock<Words> => "seqlock::SeqLock", Self::new, |it| it.read(),
        |it, value, hold| {
            let mut it = it.lock_write();
            it[0] = value;
            hold();
            *it = [value; 4];
        }
    arc_swap::ArcSwap<Words> => "arc-swap", Self::from_pointee, |it| **it.load(),
        |it, value, hold| {
            hold();
            it.store(std::sync::Arc::new([value; 4]));
        }
    std::sync::RwLock<Words> => "std RwLock", Self::new, |it| *it.read().unwrap(),
        |it, value, hold| {
            let mut it = it.write().unwrap();
            hold();
            *it = [value; 4];
        }
    parking_lot::RwLock<Words> => "parking_lot RwLock", Self::new, |it| *it.read(),
        |it, value, hold| {
            let mut it = it.write();
            hold();
            *it = [value; 4];
        }
}

/// No lock at all, so only for figures without a writer: it never writes.
pub struct Bare(UnsafeCell<Words>);

// SAFETY: nobody writes.
unsafe impl Sync for Bare {}

impl Contender for Bare {
    const NAME: &'static str = "bare copy, no writes";
    fn new() -> Self {
        Bare(UnsafeCell::new([0; 4]))
    }
    #[inline]
    fn look(&self) -> Look {
        // SAFETY: nobody writes.
        check(unsafe { self.0.get().read_volatile() })
    }
    fn write(&self, _value: u64, hold: impl FnOnce()) {
        hold();
    }
}

/// All of them, as an array of `$Entry { name, measure }`.
#[macro_export]
macro_rules! for_each_contender {
    ($Entry:ident) => {
        $crate::for_each_contender!($Entry:
            contenders::Bare,
            seqschedlock::SeqSchedLock<[std::sync::atomic::AtomicU64; 4], seqschedlock::Spin>,
            seqschedlock::SeqSchedLock<[std::sync::atomic::AtomicU64; 4], seqschedlock::Park>,
            seqschedlock::SeqSchedCell<[u64; 4], seqschedlock::Spin>,
            seqschedlock::SeqSchedCell<[u64; 4], seqschedlock::Park>,
            seqlock::SeqLock<[u64; 4]>,
            arc_swap::ArcSwap<[u64; 4]>,
            std::sync::RwLock<[u64; 4]>,
            parking_lot::RwLock<[u64; 4]>,
        )
    };
    ($Entry:ident: $($Type:ty,)*) => {
        [$($Entry {
            name: <$Type as contenders::Contender>::NAME,
            measure: measure::<$Type>,
        }),*]
    };
}
