//! The one shim: what the crate takes from `core` and `std`, or from loom when it is model-checked.
//!
//! No other module asks whether loom is used. It is used if both the cfg `loom` and the feature are set: the
//! cfg reaches every crate of a build; the feature is for those who model what they build on this crate. Then
//! constructors lose their `const` ([`const_fn!`], [`wait_init!`]), and the protocol's orderings can be
//! replaced by weaker ones ([`protocol!`]), so that a model can show what each of them is for.

#[cfg(not(any(target_has_atomic = "ptr", feature = "portable-atomic")))]
compile_error!(
    "this target has no compare-and-swap: enable the feature `portable-atomic` of seqschedlock, and choose in the \
     application how that crate makes one (`unsafe-assume-single-core` or `critical-section`)"
);

#[cfg(not(any(target_has_atomic = "ptr", feature = "portable-atomic")))]
mod missing;

pub(crate) use inner::*;

#[cfg(feature = "park")]
pub(crate) use made_once::MadeOnce;
#[cfg(feature = "park")]
pub(crate) use mutex::Mutex;
#[cfg(feature = "cell")]
pub(crate) use racing::Racing;

#[cfg(feature = "cell")]
#[cfg_attr(all(loom, feature = "loom"), path = "sync/racing_model.rs")]
mod racing;

#[cfg(feature = "park")]
mod made_once;

#[cfg(feature = "park")]
#[cfg_attr(all(loom, feature = "loom"), path = "sync/mutex_model.rs")]
mod mutex;

/// Whether a locked read-modify-write is already a full fence: on x86, unless a checker runs the code.
///
/// There, a `fence(SeqCst)` after one costs an `mfence` and orders nothing more. Checkers reason
/// about the language, not about the machine, and keep the fence. (crossbeam-epoch does the same.)
pub(crate) const LOCKED_RMW_IS_FULL_FENCE: bool = cfg!(all(
    any(target_arch = "x86", target_arch = "x86_64"),
    not(any(all(loom, feature = "loom"), miri))
));

/// Whether a cell that counts the cycles of its sequence has a sequence of one bit: models never wrap a
/// longer one.
pub(crate) const SHORT_CYCLES: bool = cfg!(all(loom, feature = "loom"));

#[cfg(not(all(loom, feature = "loom")))]
mod inner {
    #[cfg(not(any(feature = "portable-atomic", target_has_atomic = "ptr")))]
    pub(crate) use super::missing::atomic;
    #[cfg(all(not(feature = "portable-atomic"), target_has_atomic = "ptr"))]
    pub(crate) use core::sync::atomic;
    #[cfg(feature = "portable-atomic")]
    pub(crate) use portable_atomic as atomic;

    pub(crate) use crossbeam_utils::Backoff;

    /// Each twice as long as the one before: 127 pause instructions in all, a few microseconds.
    #[cfg(feature = "park")]
    pub(crate) const SPINS_BEFORE_BLOCKING: u32 = 7;
    /// How often a reader loses before it keeps the gate closed during its load.
    pub(crate) const ATTEMPTS_BEFORE_THE_GATE: u32 = 3;
    /// How often a load of a cell fails before it takes a turn. By then it has lost to as many writers.
    #[cfg(feature = "cell")]
    pub(crate) const ATTEMPTS_BEFORE_A_TURN: u32 = 8;
    /// How often such a load then looks for a free turn before it tries again without. Between two stores without a
    /// pause the turn is free for a few instructions only.
    #[cfg(feature = "cell")]
    pub(crate) const LOOKS_FOR_A_TURN: u32 = 64;
    /// How often a writer of a cell is woken for its turn but comes too late, before it is handed one.
    #[cfg(feature = "park")]
    pub(crate) const LOSSES_BEFORE_HANDING_OVER: u32 = 7;

    #[cfg(feature = "std")]
    pub(crate) use std::thread::yield_now;

    #[cfg(all(feature = "std", feature = "park", not(target_family = "wasm")))]
    pub(crate) use std::thread::{Thread, current, park};

    /// Whether there is no time left.
    #[cfg(all(feature = "std", feature = "park", not(target_family = "wasm")))]
    pub(crate) fn passed(deadline: std::time::Instant) -> bool {
        std::time::Instant::now() >= deadline
    }

    /// As `park`, but no longer than until `deadline`; returns whether that has passed.
    #[cfg(all(feature = "std", feature = "park", not(target_family = "wasm")))]
    pub(crate) fn park_until(deadline: std::time::Instant) -> bool {
        let now = std::time::Instant::now();
        if now < deadline {
            std::thread::park_timeout(deadline - now);
        }
        passed(deadline)
    }

    /// A constructor that is `const` outside loom.
    macro_rules! const_fn {
        ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => {
            $(#[$meta])* $vis const fn $($rest)*
        };
    }

    /// An array whose elements are each made anew, where constructors are `const`.
    macro_rules! array_of {
        ($value:expr; $length:expr) => {
            [const { $value }; $length]
        };
    }

    /// How the trait [`Wait`](crate::Wait) declares a strategy at rest, and how one is made.
    macro_rules! wait_init {
        (declare $(#[$meta:meta])*) => { $(#[$meta])* const INIT: Self; };
        (define $value:expr) => { const INIT: Self = $value; };
        (use $W:ty) => { <$W as $crate::Wait>::INIT };
    }

    /// The choices of a protocol: one constant.
    macro_rules! protocol {
        ($(#[$meta:meta])* const $NAME:ident: $Type:ty = $value:expr;) => {
            $(#[$meta])* pub(crate) const $NAME: $Type = $value;

            #[inline(always)]
            const fn protocol() -> $Type {
                $NAME
            }
        };
    }

    /// What only models may reach.
    macro_rules! for_models {
        ($($item:item)*) => {};
    }

    pub(crate) use {array_of, const_fn, for_models, protocol, wait_init};
}

#[cfg(all(loom, feature = "loom"))]
mod inner {
    pub(crate) use loom::sync::atomic;
    pub(crate) use loom::thread::yield_now;
    #[cfg(all(feature = "std", feature = "park"))]
    pub(crate) use loom::thread::{Thread, current, park};

    /// A model should block, not spin.
    #[cfg(feature = "park")]
    pub(crate) const SPINS_BEFORE_BLOCKING: u32 = 0;
    /// A model is too short for anybody to lose often.
    pub(crate) const ATTEMPTS_BEFORE_THE_GATE: u32 = 1;
    #[cfg(feature = "cell")]
    pub(crate) const ATTEMPTS_BEFORE_A_TURN: u32 = 1;
    #[cfg(feature = "cell")]
    pub(crate) const LOOKS_FOR_A_TURN: u32 = 1;
    #[cfg(feature = "park")]
    pub(crate) const LOSSES_BEFORE_HANDING_OVER: u32 = 0;

    /// `crossbeam_utils::Backoff` aborts a model. Here a spin yields to the other threads.
    pub(crate) struct Backoff;

    impl Backoff {
        pub(crate) fn new() -> Self {
            Backoff
        }
        pub(crate) fn spin(&self) {
            yield_now();
        }
    }

    /// Loom has no clock: a deadline passes when a thread waits for it, and not before.
    #[cfg(all(feature = "std", feature = "park"))]
    pub(crate) fn passed(_deadline: std::time::Instant) -> bool {
        // There is no clock: a deadline passes between a thread's first look at it and the second.
        loom::thread_local! {
            static LOOKED: core::cell::Cell<bool> = core::cell::Cell::new(false);
        }
        LOOKED.with(|looked| looked.replace(true))
    }

    #[cfg(all(feature = "std", feature = "park"))]
    pub(crate) fn park_until(_deadline: std::time::Instant) -> bool {
        yield_now();
        true
    }

    macro_rules! const_fn {
        ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => {
            $(#[$meta])* $vis fn $($rest)*
        };
    }

    macro_rules! array_of {
        ($value:expr; $length:expr) => {
            core::array::from_fn::<_, { $length }, _>(|_| $value)
        };
    }

    macro_rules! wait_init {
        (declare $(#[$meta:meta])*) => { $(#[$meta])* fn init() -> Self; };
        (define $value:expr) => { fn init() -> Self { $value } };
        (use $W:ty) => { <$W as $crate::Wait>::init() };
    }

    macro_rules! protocol {
        ($(#[$meta:meta])* const $NAME:ident: $Type:ty = $value:expr;) => {
            $(#[$meta])* pub const $NAME: $Type = $value;

            std::thread_local! {
                // A plain `Cell`: loom runs all threads of a model on the thread that asked for it.
                static IN_FORCE: core::cell::Cell<$Type> = const { core::cell::Cell::new($NAME) };
            }

            fn protocol() -> $Type {
                IN_FORCE.get()
            }

            /// Runs `model` under another protocol than the proven one.
            pub fn with_protocol(other: $Type, model: impl FnOnce()) {
                struct Restore;
                impl Drop for Restore {
                    fn drop(&mut self) {
                        IN_FORCE.set($NAME);
                    }
                }
                let _restore = Restore;
                IN_FORCE.set(other);
                model();
            }
        };
    }

    macro_rules! for_models {
        ($($item:item)*) => { $($item)* };
    }

    pub(crate) use {array_of, const_fn, for_models, protocol, wait_init};
}
