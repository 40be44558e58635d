//! Faults while an invalidate sleeps: who waits, for what, and how long at most.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use core::time::Duration;

use seqschedlock_sim::page_cache::{
    Access, AddressSpace, AsPosted, Commit, Faulted, InvalidateRwLock, MemStore, PageLock,
    Patience, PlainFs, Policy, Striped, Unprotected, VmFault,
};

use crate::patience::receive;
use crate::world::{PAGE, SlowFs, SlowStore, all_is_well, must_end, process, read};

const A_WHILE: Duration = Duration::from_millis(30);

/// Faults on page `index` of three, all cached, while an invalidate of page 0 sleeps halfway.
fn fault_while_page_0_is_invalidated<P: Policy>(
    index: u64,
    patience: impl FnOnce() -> Patience + Send + 'static,
) -> Result<Faulted, VmFault> {
    must_end("the fault, and then the invalidate", move || {
        let (file_system, brake) = SlowFs::new();
        let store = MemStore::new(3 * PAGE, Duration::ZERO);
        let file = AddressSpace::<P>::new(store, file_system).unwrap();
        let (process, address) = process(&file);
        for page in 0..3 {
            read(&process, address + page * PAGE);
        }
        process.madvise_dontneed(address, 3);
        let answer = thread::scope(|threads| {
            let slow = threads.spawn(|| file.invalidate_inode_pages2_range(0..=0));
            receive("the invalidate releases the page", &brake.begun);
            let patience = patience();
            let answer = process.fault(address + index * PAGE, Access::Read, patience);
            if answer == Err(VmFault::TimedOut) {
                let deadline = patience.deadline.expect("only a deadline can pass");
                assert!(Instant::now() >= deadline, "the fault gave up too early");
            }
            drop(brake);
            slow.join().unwrap().unwrap();
            answer
        });
        // `Unprotected` may have left an orphan: its faults do not wait for the invalidate.
        if P::NAME != Unprotected::NAME {
            all_is_well(&file);
        }
        answer
    })
}

fn until_soon(conflicts: u32) -> Patience {
    Patience {
        conflicts,
        deadline: Some(Instant::now() + A_WHILE),
    }
}

/// The fault gave up, and not before its deadline.
fn times_out<P: Policy>(index: u64, conflicts: u32) {
    let answer = fault_while_page_0_is_invalidated::<P>(index, move || until_soon(conflicts));
    assert_eq!(answer, Err(VmFault::TimedOut));
}

#[test]
fn every_policy_but_one_makes_a_fault_on_that_page_wait() {
    times_out::<AsPosted>(0, 1);
    times_out::<Commit>(0, 1);
    times_out::<Commit>(0, u32::MAX);
    times_out::<Striped>(0, 1);
    times_out::<Striped>(0, u32::MAX);
    times_out::<PageLock>(0, 1);
    times_out::<InvalidateRwLock>(0, 1);
    let careless = fault_while_page_0_is_invalidated::<Unprotected>(0, || until_soon(1));
    assert_eq!(careless, Ok(Faulted::default()));
}

#[test]
fn a_fault_on_another_page_waits_only_where_one_lock_covers_all() {
    times_out::<AsPosted>(1, 1);
    times_out::<Commit>(1, u32::MAX);
    times_out::<InvalidateRwLock>(1, 1);
    let undisturbed = Ok(Faulted::default());
    let fault = |run: fn(u64, fn() -> Patience) -> _| run(1, Patience::default);
    assert_eq!(
        fault(fault_while_page_0_is_invalidated::<Striped>),
        undisturbed
    );
    assert_eq!(
        fault(fault_while_page_0_is_invalidated::<PageLock>),
        undisturbed
    );
}

#[test]
fn after_enough_conflicts_a_fault_takes_the_page_lock_and_says_so() {
    let fell_back = fault_while_page_0_is_invalidated::<Commit>(1, Patience::default);
    let expected = Faulted {
        major: false,
        conflicts: 1,
        fell_back: true,
    };
    assert_eq!(fell_back, Ok(expected));
}

#[test]
fn a_fault_without_patience_takes_the_page_lock_from_the_start() {
    let at_once = || Patience {
        conflicts: 0,
        deadline: None,
    };
    let expected = Faulted {
        major: false,
        conflicts: 0,
        fell_back: true,
    };
    let answer = fault_while_page_0_is_invalidated::<Commit>(1, at_once);
    assert_eq!(answer, Ok(expected));
}

#[test]
fn a_deadline_that_has_passed_does_not_disturb_a_fault_that_need_not_wait() {
    let past = || Patience {
        deadline: Some(Instant::now()),
        ..Patience::DEFAULT
    };
    let answer = fault_while_page_0_is_invalidated::<Commit>(1, past);
    assert_eq!(answer.map(|faulted| faulted.fell_back), Ok(true));
    let answer = fault_while_page_0_is_invalidated::<Striped>(1, past);
    assert_eq!(answer, Ok(Faulted::default()));
}

#[test]
fn a_fault_on_a_page_that_is_being_read_waits_until_its_deadline() {
    must_end("both faults", || {
        let (store, brake) = SlowStore::new(1, Access::Read);
        let file = AddressSpace::<Commit>::new(store, PlainFs::default()).unwrap();
        let (process, address) = process(&file);
        thread::scope(|threads| {
            let reading = threads.spawn(|| process.fault(address, Access::Read, Patience::DEFAULT));
            receive("the store reads the page", &brake.begun);
            let began = Instant::now();
            let impatient = process.fault(address, Access::Read, until_soon(1));
            assert_eq!(impatient, Err(VmFault::TimedOut));
            assert!(began.elapsed() >= A_WHILE);
            brake.go.send(()).unwrap();
            assert!(reading.join().unwrap().unwrap().major);
        });
        drop(brake);
        all_is_well(&file);
    });
}

#[test]
fn a_fault_that_waits_goes_on_when_the_invalidate_has_ended() {
    fn waits<P: Policy>(conflicts: u32) {
        let (file_system, brake) = SlowFs::new();
        let store = MemStore::new(PAGE, Duration::ZERO);
        let file = AddressSpace::<P>::new(store, file_system).unwrap();
        let (process, address) = process(&file);
        read(&process, address);
        let process = Arc::new(process);
        thread::scope(|threads| {
            let slow = threads.spawn(|| file.invalidate_inode_pages2_range(0..=0));
            receive("the invalidate releases the page", &brake.begun);
            let waiting = threads.spawn(|| {
                let patience = Patience {
                    conflicts,
                    deadline: None,
                };
                process.fault(address, Access::Read, patience).unwrap()
            });
            thread::sleep(A_WHILE / 10); // so that it is likely to wait; either way it must end
            brake.go.send(()).unwrap();
            slow.join().unwrap().unwrap();
            assert!(waiting.join().unwrap().major, "the old page was mapped");
        });
        all_is_well(&file);
    }
    must_end("every fault goes on", || {
        waits::<AsPosted>(1);
        waits::<Commit>(1);
        waits::<Commit>(u32::MAX);
        waits::<Striped>(1);
        waits::<Striped>(u32::MAX);
        waits::<PageLock>(1);
        waits::<InvalidateRwLock>(1);
    });
}
