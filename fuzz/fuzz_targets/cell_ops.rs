//! Random operations on one cell, with values of every size, against the value itself.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use seqschedlock::{Park, SeqSchedCell, SeqSchedCellGuard, Spin, Wait};

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Operation {
    Load,
    Store(u8),
    Swap(u8),
    Update(u8),
    TryUpdate(Option<u8>),
    Lock,
    Change(u8),
    Publish,
    Discard,
    Forget,
    Print,
}

/// A writer's copy; beside it, what is in it.
type Guard<'a, const N: usize, W> = SeqSchedCellGuard<'a, [u8; N], W>;

/// Every byte is different, so that one in the wrong place shows.
fn value<const N: usize>(seed: u8) -> [u8; N] {
    std::array::from_fn(|index| (index as u8).wrapping_mul(31).wrapping_add(seed))
}

fn run<const N: usize, W: Wait>(operations: &[Operation]) {
    let cell = SeqSchedCell::<[u8; N], W>::new(value(0));
    let mut now = value(0);
    // Nothing that would wait for it is tried: this thread holds it.
    let mut guard: Option<(Guard<'_, N, W>, [u8; N])> = None;
    for &operation in operations {
        match operation {
            Operation::Load => assert_eq!(cell.load(), now),
            Operation::Print => drop(format!("{cell:?}")),
            Operation::Store(seed) if guard.is_none() => {
                now = value(seed);
                cell.store(now);
            }
            Operation::Swap(seed) if guard.is_none() => {
                assert_eq!(cell.swap(value(seed)), now);
                now = value(seed);
            }
            Operation::Update(seed) if guard.is_none() => {
                let before = cell.update(|before| {
                    assert_eq!(before, now);
                    assert_eq!(cell.try_load(), Ok(now), "readers get the old value");
                    value(seed)
                });
                assert_eq!(before, now);
                now = value(seed);
            }
            Operation::TryUpdate(seed) if guard.is_none() => {
                let result = cell.try_update(|before| {
                    assert_eq!(before, now);
                    seed.map(value)
                });
                match seed {
                    Some(seed) => {
                        assert_eq!(result, Ok(now));
                        now = value(seed);
                    }
                    None => assert_eq!(result, Err(now)),
                }
            }
            Operation::Lock if guard.is_none() => {
                let copy = cell.lock();
                assert_eq!(*copy, now);
                guard = Some((copy, now));
            }
            Operation::Change(seed) => {
                if let Some((guard, copy)) = &mut guard {
                    **guard = value(seed);
                    *copy = value(seed);
                }
            }
            Operation::Publish => {
                if let Some((guard, copy)) = guard.take() {
                    assert_eq!(*guard, copy);
                    drop(guard);
                    now = copy;
                }
            }
            Operation::Discard => {
                if let Some((guard, _)) = guard.take() {
                    guard.discard();
                }
            }
            Operation::Forget => {
                // The turn is gone for ever; all that is left is to read.
                if let Some((guard, _)) = guard.take() {
                    std::mem::forget(guard);
                    assert_eq!(cell.try_load(), Ok(now));
                    return;
                }
            }
            _ => {}
        }
        assert_eq!(cell.try_load(), Ok(now));
    }
}

fuzz_target!(|operations: Vec<Operation>| {
    run::<0, Spin>(&operations);
    run::<1, Park>(&operations);
    run::<3, Spin>(&operations);
    run::<8, Park>(&operations);
    run::<17, Spin>(&operations);
    run::<64, Park>(&operations);
});
