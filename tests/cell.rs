//! `SeqSchedCell`: whole values in, whole values out, and writers that take their time in private.
#![cfg(all(not(loom), feature = "cell"))]

#[path = "support/patience.rs"]
mod patience;

use core::cell::Cell;
use core::fmt::Debug;
use core::marker::PhantomData;
use core::num::NonZeroU32;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::panic::catch_unwind;
use std::sync::mpsc;
use std::thread;

use bytemuck::NoUninit;
use patience::{receive, wait_until};
use proptest::prelude::*;
use seqschedlock::{SeqSchedCell, SeqSchedCellDraft, SeqSchedCellGuard, Spin, Wait, Writers};
use static_assertions::{assert_impl_all, assert_not_impl_any};

type Pair = [u64; 2];

/// Plain, but not `Send`, so a cell of it is neither `Send` nor `Sync`.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Local(u32, PhantomData<*const ()>);

// SAFETY: a `u32` and nothing else.
unsafe impl NoUninit for Local {}

assert_impl_all!(SeqSchedCell<Pair, Spin>: Send, Sync, Default, Debug, From<Pair>);
assert_impl_all!(SeqSchedCellGuard<'_, Pair, Spin>: Send, Sync, Debug, core::ops::DerefMut<Target = Pair>);
assert_not_impl_any!(SeqSchedCellGuard<'_, Pair, Spin>: Clone);
assert_impl_all!(SeqSchedCellDraft<'_, Pair, Spin>: Send, Sync, Debug, core::ops::DerefMut<Target = Pair>);
assert_not_impl_any!(SeqSchedCell<Local, Spin>: Send, Sync);
assert_not_impl_any!(SeqSchedCellGuard<'_, Local, Spin>: Send, Sync);

fn cell<T: NoUninit>(value: T) -> SeqSchedCell<T, Spin> {
    SeqSchedCell::new(value)
}

#[test]
fn what_was_stored_is_loaded() {
    let cell = cell([1, 2]);
    assert_eq!(cell.load(), [1, 2]);
    cell.store([3, 4]);
    assert_eq!(cell.try_load(), Ok([3, 4]));
    assert_eq!(cell.swap([5, 6]), [3, 4]);
    assert_eq!(cell.into_inner(), [5, 6]);
}

#[test]
fn update_returns_what_was_there_before() {
    let cell = cell(7_u32);
    assert_eq!(cell.update(|value| value * 2), 7);
    assert_eq!(cell.load(), 14);
}

#[test]
fn try_update_that_declines_changes_nothing() {
    let cell = cell(7_u32);
    assert_eq!(cell.try_update(|value| (value > 7).then_some(0)), Err(7));
    assert_eq!(cell.load(), 7);
    assert_eq!(cell.try_update(|value| (value == 7).then_some(8)), Ok(7));
    assert_eq!(cell.load(), 8);
    assert!(format!("{cell:?}").contains("sequence: 1"), "{cell:?}");
}

#[test]
fn readers_get_the_old_value_while_a_writer_sleeps_with_the_guard() {
    let cell = cell([1, 1]);
    let (asleep, is_asleep) = mpsc::channel();
    let (wake_up, woken) = mpsc::channel();
    thread::scope(|threads| {
        let cell = &cell;
        threads.spawn(move || {
            let mut guard = cell.lock();
            guard[0] = 2;
            asleep.send(()).unwrap();
            // Until the reader below is through. If it were held up, this would wait in vain.
            receive("the reader is through", &woken);
            guard[1] = 2;
        });
        receive("the writer has the guard", &is_asleep);
        for _ in 0..1_000 {
            assert_eq!(cell.try_load(), Ok([1, 1]));
            assert_eq!(cell.load(), [1, 1]);
        }
        wake_up.send(()).unwrap();
    });
    assert_eq!(cell.load(), [2, 2]);
}

#[test]
fn a_reader_inside_update_gets_the_old_value() {
    let cell = cell([1, 1]);
    cell.update(|[one, other]| {
        assert_eq!(cell.load(), [1, 1]);
        [one + 1, other + 1]
    });
    assert_eq!(cell.load(), [2, 2]);
}

#[test]
fn a_discarded_copy_leaves_the_cell_as_it_was() {
    let cell = cell(1_u32);
    let mut guard = cell.lock();
    *guard = 2;
    assert_eq!(format!("{guard:?}"), "SeqSchedCellGuard(2)");
    guard.discard();
    assert_eq!(cell.load(), 1);
    assert_eq!(
        format!("{cell:?}"),
        "SeqSchedCell { value: 1, sequence: 0, .. }"
    );
    cell.store(3); // the turn was given up
    assert_eq!(cell.load(), 3);
}

/// With `std` and without it: a feature must not change what a panic does.
#[test]
fn a_guard_publishes_however_it_is_dropped() {
    let cell = cell([1, 1]);
    catch_unwind(AssertUnwindSafe(|| {
        let mut guard = cell.lock();
        guard[0] = 2;
        panic!("halfway");
    }))
    .unwrap_err();
    assert_eq!(cell.load(), [2, 1]);

    let fails = || {
        let mut guard = cell.lock();
        guard[0] = 3;
        "not a number"
            .parse::<u64>()
            .map(|number| guard[1] = number)
    };
    fails().unwrap_err();
    assert_eq!(cell.load(), [3, 1]);
    cell.store([4, 4]); // the turn was given up
    assert_eq!(cell.load(), [4, 4]);
}

#[test]
fn a_draft_publishes_only_what_is_committed() {
    let cell = cell([1, 1]);
    catch_unwind(AssertUnwindSafe(|| {
        let mut draft = cell.lock().draft();
        draft[0] = 2;
        panic!("halfway");
    }))
    .unwrap_err();
    assert_eq!(cell.load(), [1, 1]);

    let mut draft = cell.lock().draft();
    draft[0] = 2;
    assert_eq!(format!("{draft:?}"), "SeqSchedCellDraft([2, 1])");
    assert!(cell.try_lock().is_none(), "a draft keeps the turn");
    drop(draft);
    assert_eq!(
        format!("{cell:?}"),
        "SeqSchedCell { value: [1, 1], sequence: 0, .. }"
    );

    let mut draft = cell.lock().draft();
    draft[1] = 3;
    draft.commit();
    assert_eq!(cell.load(), [1, 3]);
    cell.store([4, 4]); // the turn was given up
    assert_eq!(cell.load(), [4, 4]);
}

#[test]
fn an_update_that_panics_publishes_nothing() {
    let cell = cell([1, 1]);
    catch_unwind(AssertUnwindSafe(|| cell.update(|_| panic!("half way")))).unwrap_err();
    catch_unwind(AssertUnwindSafe(|| cell.try_update(|_| panic!("half way")))).unwrap_err();
    assert_eq!(cell.load(), [1, 1]);
    cell.store([3, 3]);
    assert_eq!(cell.load(), [3, 3]);
}

#[test]
fn a_destructor_that_runs_in_a_panic_publishes_as_usual() {
    struct CountsOnDrop<'a>(&'a SeqSchedCell<u32, Spin>);
    impl Drop for CountsOnDrop<'_> {
        fn drop(&mut self) {
            *self.0.lock() += 1;
        }
    }
    let cell = cell(1_u32);
    catch_unwind(AssertUnwindSafe(|| {
        let _counts = CountsOnDrop(&cell);
        panic!("not its fault");
    }))
    .unwrap_err();
    assert_eq!(cell.load(), 2);
}

#[test]
fn a_forgotten_guard_keeps_the_turn_and_does_not_disturb_readers() {
    let cell = cell(1_u32);
    core::mem::forget(cell.lock());
    assert_eq!(cell.load(), 1);
    assert_eq!(cell.try_load(), Ok(1));
}

#[test]
fn a_guard_may_be_dropped_on_another_thread() {
    let cell = cell(1_u32);
    let mut guard = cell.lock();
    thread::scope(|threads| {
        threads.spawn(move || *guard = 2);
    });
    assert_eq!(cell.load(), 2);
}

#[test]
fn values_with_invalid_byte_patterns() {
    #[derive(Clone, Copy, Debug, PartialEq, NoUninit)]
    #[repr(u8)]
    enum Colour {
        Red = 7,
        Green = 200,
    }
    #[derive(Clone, Copy, Debug, PartialEq, NoUninit)]
    #[repr(C)]
    struct Light {
        colour: Colour,
        lit: bool,
    }
    let light = cell(Light {
        colour: Colour::Red,
        lit: true,
    });
    light.update(|now| Light {
        colour: Colour::Green,
        ..now
    });
    let green = Light {
        colour: Colour::Green,
        lit: true,
    };
    assert_eq!(light.load(), green);
    let number = cell(NonZeroU32::MIN);
    number.store(NonZeroU32::MAX);
    assert_eq!(number.load(), NonZeroU32::MAX);
    assert!(cell(true).swap(false));
    assert_eq!(cell('ß').load(), 'ß');
    cell(()).store(());
}

/// One of each shape the byte copy tells apart.
macro_rules! shapes {
    ($($name:ident: $Type:ty;)*) => {
        proptest! {$(
            #[test]
            fn $name(values: Vec<[$Type; 2]>) {
                let mut before = [<$Type>::default(); 2];
                let cell = cell(before);
                for value in values {
                    prop_assert_eq!(cell.swap(value), before);
                    prop_assert_eq!(cell.load(), value);
                    before = value;
                }
            }
        )*}
    };
}

shapes! {
    bytes_come_back: u8;
    odd_numbers_of_bytes_come_back: [u8; 19];
    halves_come_back: [u16; 3];
    words_come_back: [u32; 9];
    long_words_come_back: [u64; 5];
    longer_words_come_back: u128;
}

#[derive(Clone, Debug)]
enum Step {
    Store(Pair),
    Swap(Pair),
    Add(u64),
    AddIfEven(u64),
    Work(Pair),
    Discard(Pair),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any::<Pair>().prop_map(Step::Store),
        any::<Pair>().prop_map(Step::Swap),
        any::<u64>().prop_map(Step::Add),
        any::<u64>().prop_map(Step::AddIfEven),
        any::<Pair>().prop_map(Step::Work),
        any::<Pair>().prop_map(Step::Discard),
    ]
}

proptest! {
    #[test]
    fn a_cell_is_a_variable(steps in proptest::collection::vec(step(), 0..50)) {
        let cell = cell([0, 0]);
        let mut variable: Pair = [0, 0];
        for step in steps {
            match step {
                Step::Store(value) => {
                    cell.store(value);
                    variable = value;
                }
                Step::Swap(value) => {
                    prop_assert_eq!(cell.swap(value), variable);
                    variable = value;
                }
                Step::Add(more) => {
                    prop_assert_eq!(cell.update(|value| value.map(|part| part.wrapping_add(more))), variable);
                    variable = variable.map(|part| part.wrapping_add(more));
                }
                Step::AddIfEven(more) => {
                    let changed = cell.try_update(|[one, other]| {
                        (one % 2 == 0).then_some([one.wrapping_add(more), other])
                    });
                    if variable[0] % 2 == 0 {
                        prop_assert_eq!(changed, Ok(variable));
                        variable[0] = variable[0].wrapping_add(more);
                    } else {
                        prop_assert_eq!(changed, Err(variable));
                    }
                }
                Step::Work(value) => {
                    let mut guard = cell.lock();
                    prop_assert_eq!(*guard, variable);
                    *guard = value;
                    prop_assert_eq!(cell.load(), variable);
                    drop(guard);
                    variable = value;
                }
                Step::Discard(value) => {
                    let mut guard = cell.lock();
                    *guard = value;
                    guard.discard();
                }
            }
            prop_assert_eq!(cell.try_load(), Ok(variable));
        }
    }
}

/// A strategy that counts waits and wake-ups. A cell gives no access to its strategy, so the counts are static.
struct Told;

static WAITS: AtomicUsize = AtomicUsize::new(0);
static WAKES: AtomicUsize = AtomicUsize::new(0);

impl Wait for Told {
    const INIT: Self = Told;

    fn wait(&self, writers: &Writers<'_>) {
        let wakes = WAKES.load(Relaxed);
        if writers.request_wake() {
            WAITS.fetch_add(1, Relaxed);
            while WAKES.load(Relaxed) == wakes {
                thread::yield_now();
            }
        }
    }

    fn wake(&self) {
        WAKES.fetch_add(1, Relaxed);
    }
}

#[test]
fn a_writer_waits_for_the_turn_of_another_and_is_woken_by_its_end() {
    let cell = SeqSchedCell::<u32, Told>::new(0);
    let guard = cell.lock();
    thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| cell.update(|value| value + 1));
        }
        wait_until("two writers wait", || WAITS.load(Relaxed) == 2);
        assert_eq!(cell.load(), 0, "a writer did not wait for its turn");
        assert_eq!(WAKES.load(Relaxed), 0);
        guard.discard(); // the end of a turn that changed nothing wakes as well
    });
    assert_eq!(cell.load(), 2);

    let wakes = WAKES.load(Relaxed);
    cell.store(0);
    assert_eq!(WAKES.load(Relaxed), wakes, "nobody asked");
}

#[test]
fn two_writers_never_lose_an_update_and_readers_never_see_half_of_one() {
    fn storm<W: Wait + Send + Sync>() {
        const UPDATES: u64 = if cfg!(miri) { 50 } else { 20_000 };
        let cell = SeqSchedCell::<[u64; 5], W>::new([0; 5]);
        let done = AtomicBool::new(false);
        thread::scope(|threads| {
            let readers = [(); 2].map(|()| {
                threads.spawn(|| {
                    let mut last = 0;
                    while !done.load(Relaxed) {
                        let value = cell.load();
                        assert_eq!(value, [value[0]; 5], "half of a value");
                        assert!(value[0] >= last, "an older value");
                        last = value[0];
                    }
                })
            });
            let by_closure = threads.spawn(|| {
                for _ in 0..UPDATES {
                    cell.update(|value| value.map(|part| part + 1));
                }
            });
            let by_guard = threads.spawn(|| {
                for _ in 0..UPDATES {
                    let mut guard = cell.lock();
                    for part in &mut *guard {
                        *part += 1;
                    }
                }
            });
            by_closure.join().unwrap();
            by_guard.join().unwrap();
            done.store(true, Relaxed);
            for reader in readers {
                reader.join().unwrap();
            }
        });
        assert_eq!(cell.load(), [2 * UPDATES; 5]);
    }
    storm::<Spin>();
    #[cfg(feature = "std")]
    storm::<seqschedlock::Yield>();
    #[cfg(feature = "park")]
    storm::<seqschedlock::Park>();
}

#[test]
#[cfg(all(feature = "std", feature = "park"))]
fn a_writer_that_blocks_for_its_turn_is_woken() {
    use seqschedlock::Park;
    let cell = SeqSchedCell::<u32, Park>::new(0);
    for round in 0..20 {
        let mut guard = cell.lock();
        thread::scope(|threads| {
            let writers = [(); 3].map(|()| threads.spawn(|| cell.update(|value| value + 1)));
            thread::sleep(core::time::Duration::from_millis(2)); // long enough to block
            assert_eq!(cell.load(), round * 4);
            *guard += 1;
            drop(guard);
            for writer in writers {
                writer.join().unwrap();
            }
        });
        assert_eq!(cell.load(), (round + 1) * 4);
    }
}

#[test]
fn debug_and_loads_do_not_wait_for_a_guard() {
    let cell = cell(4_u8);
    let looked = Cell::new(false);
    cell.update(|value| {
        looked.set(format!("{cell:?}").contains("value: 4"));
        value
    });
    assert!(looked.get());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guard_held_across_an_await_does_not_disturb_readers() {
    let cell = std::sync::Arc::new(cell([0, 0]));
    let (began, has_begun) = tokio::sync::oneshot::channel();
    let (go_on, gone_on) = tokio::sync::oneshot::channel();
    let writer = tokio::spawn({
        let cell = cell.clone();
        async move {
            let mut guard = cell.lock();
            guard[0] = 1;
            began.send(()).unwrap();
            gone_on.await.unwrap();
            guard[1] = 1;
        }
    });
    has_begun.await.unwrap();
    assert_eq!(cell.load(), [0, 0]);
    go_on.send(()).unwrap();
    writer.await.unwrap();
    assert_eq!(cell.load(), [1, 1]);
}
