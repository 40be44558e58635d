//! Invalidations during loads: the race, step by step, under each policy.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::thread;

use seqschedlock_pager::{
    Closed, Fenced, Gate, PAGE_SIZE, PageMutex, Pager, Policy, RwLock, Store, Unprotected,
};

use crate::isolated::{here, isolated};
use crate::scripted::{Answer, Scripted, fill, number};

/// 1. A load reads the old number.
/// 2. The page is invalidated, the source changes, and the invalidation ends.
/// 3. The load returns.
///
/// Returns the number that the waiting thread reads, and the number that is read later.
fn a_load_that_is_overtaken<P: Policy>() -> (u32, u32, Pager<P>) {
    let store = Scripted::held();
    store.set(0, Answer::Number(1));
    let pager = Pager::<P>::with_policy(1, 1, store.clone(), 2).unwrap();
    let first = thread::scope(|threads| {
        let first = threads.spawn(|| number(&pager, 0));
        store.wait_for(1);
        // If this waited for the load, it would wait for ever.
        let section = pager.invalidate(0..1);
        store.set(0, Answer::Number(2));
        drop(section);
        store.let_go(usize::MAX);
        first.join().unwrap()
    });
    (first, number(&pager, 0), pager)
}

#[test]
fn unprotected_a_load_maps_an_old_page_that_stays_mapped() {
    isolated(here!(), || {
        let (_, later, pager) = a_load_that_is_overtaken::<Unprotected>();
        assert_eq!(later, 1, "the source says 2");
        drop(pager.invalidate(0..1));
        assert_eq!(number(&pager, 0), 2, "the next invalidation takes it out");
    });
}

#[test]
fn through_the_gate_a_load_is_repeated_and_no_invalidation_waits_for_it() {
    isolated(here!(), || {
        let (first, later, pager) = a_load_that_is_overtaken::<Gate>();
        assert_eq!((first, later), (2, 2));
        let counts = pager.counts();
        assert_eq!((counts.loads, counts.conflicts, counts.turns), (2, 1, 0));
    });
}

#[test]
fn closed_a_load_is_repeated_and_no_invalidation_waits_for_it() {
    isolated(here!(), || {
        let (first, later, pager) = a_load_that_is_overtaken::<Closed>();
        assert_eq!((first, later), (2, 2));
        let counts = pager.counts();
        assert_eq!((counts.loads, counts.conflicts, counts.turns), (2, 1, 0));
    });
}

/// An invalidation waits until a load of its page has ended.
fn an_invalidation_that_waits_for_a_load<P: Policy>() {
    let store = Scripted::held();
    store.set(0, Answer::Number(1));
    let pager = Pager::<P>::with_policy(1, 1, store.clone(), 2).unwrap();
    thread::scope(|threads| {
        // This reads 2 if the invalidation takes the page out before the thread has read it.
        threads.spawn(|| assert!([1, 2].contains(&number(&pager, 0))));
        store.wait_for(1);
        threads.spawn(|| {
            let _section = pager.invalidate(0..1);
            assert_eq!(store.loads_that_ended(), 1);
            store.set(0, Answer::Number(2));
        });
        // An invalidation that does not wait would return in this time.
        thread::sleep(Duration::from_millis(50));
        store.let_go(usize::MAX);
    });
    assert_eq!(number(&pager, 0), 2);
}

#[test]
fn under_a_rwlock_an_invalidation_waits_for_the_load() {
    isolated(here!(), an_invalidation_that_waits_for_a_load::<RwLock>);
}

#[test]
fn under_page_mutexes_an_invalidation_waits_for_the_load() {
    isolated(here!(), an_invalidation_that_waits_for_a_load::<PageMutex>);
}

/// Three loads are overtaken. The fourth keeps the gate, and an invalidation waits for it.
fn a_fault_that_always_loses<P: Policy>() {
    let store = Scripted::held();
    let pager = Pager::<P>::with_policy(1, 1, store.clone(), 1).unwrap();
    thread::scope(|threads| {
        let first = threads.spawn(|| number(&pager, 0));
        for load in 1..=3 {
            store.wait_for(load);
            let section = pager.invalidate(0..1);
            store.set(0, Answer::Number(load as u32));
            drop(section);
            store.let_go(load);
        }
        store.wait_for(4);
        threads.spawn(|| {
            let _section = pager.invalidate(0..1);
            assert_eq!(store.loads_that_ended(), 4);
        });
        thread::sleep(Duration::from_millis(50));
        store.let_go(usize::MAX);
        assert_eq!(first.join().unwrap(), 3);
    });
    let counts = pager.counts();
    assert_eq!((counts.conflicts, counts.turns), (3, 1), "{counts:?}");
}

#[test]
fn a_fault_that_has_lost_three_times_takes_its_turn_at_the_gate() {
    isolated(here!(), a_fault_that_always_loses::<Gate>);
}

#[test]
fn a_fault_that_has_lost_three_times_takes_its_turn_closed() {
    isolated(here!(), a_fault_that_always_loses::<Closed>);
}

/// Reads of invalidated pages wait for the end of the section. Other pages are served meanwhile.
fn a_section_keeps_its_pages<P: Policy>() {
    let store = Scripted::default();
    let pager = Pager::<P>::with_policy(4, 2, store.clone(), 4).unwrap();
    assert_eq!(number(&pager, 0), 0);
    let changed = AtomicBool::new(false);
    let section = pager.invalidate(0..2);
    thread::scope(|threads| {
        for page in [0, 1] {
            let (pager, changed) = (&pager, &changed);
            threads.spawn(move || {
                assert_eq!(number(pager, page), 8);
                assert!(changed.load(SeqCst));
            });
        }
        assert_eq!(number(&pager, 2), 0, "another block is served meanwhile");
        thread::sleep(Duration::from_millis(20));
        store.set(0, Answer::Number(8));
        store.set(1, Answer::Number(8));
        changed.store(true, SeqCst);
        drop(section);
    });
}

#[test]
fn through_the_gate_a_section_keeps_its_pages_and_no_others() {
    isolated(here!(), a_section_keeps_its_pages::<Gate>);
}

#[test]
fn closed_a_section_keeps_its_pages_and_no_others() {
    isolated(here!(), a_section_keeps_its_pages::<Closed>);
}

/// Sections over many stripes, in all kinds of overlap, beside faults on all pages.
#[test]
fn sections_over_many_stripes_do_not_deadlock() {
    isolated(here!(), || {
        let pager = Pager::new(1024, 4, Scripted::default(), 4).unwrap();
        thread::scope(|threads| {
            for seed in 0..2 {
                let pager = &pager;
                threads.spawn(move || {
                    for step in 0..500 {
                        let from = (step * 37 + seed * 511) % 1024;
                        let to = (from + step * 5 % 700).min(1024);
                        drop(pager.invalidate(from..to));
                    }
                });
                threads.spawn(move || {
                    for step in 0..2000 {
                        assert_eq!(number(pager, (step * 13 + seed * 300) % 1024), 0);
                    }
                });
            }
        });
        drop(pager.invalidate(0..1024));
        drop(pager.invalidate(7..7));
    });
}

/// Two pages that hold the same number, except while they change.
struct Pair {
    numbers: [AtomicU32; 2],
}

impl Store for Pair {
    fn load(&self, page: usize, into: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        fill(into, self.numbers[page].load(SeqCst));
        Ok(())
    }
}

fn a_read_is_of_one_moment<P: Fenced>() {
    let pair = Arc::new(Pair {
        numbers: Default::default(),
    });
    // Two pages on two stripes.
    let pager = Pager::<P>::with_policy(2, 1, Arc::clone(&pair), 2).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let (mut last, mut different) = (0, 0);
            while !done.load(SeqCst) {
                let mut both = [0; 8];
                pager.read(PAGE_SIZE - 4, &mut both);
                let [first, second] =
                    [0, 4].map(|at| u32::from_ne_bytes(both[at..at + 4].try_into().unwrap()));
                assert_eq!(first, second);
                assert!(first >= last, "{first} after {last}");
                different += u32::from(first != last);
                last = first;
            }
            different
        });
        let mut number = 0;
        while number < 2000 {
            number += 1;
            let section = pager.invalidate(0..2);
            for page in &pair.numbers {
                page.store(number, SeqCst);
                thread::yield_now();
            }
            drop(section);
            if number % 10 == 0 {
                thread::sleep(Duration::from_millis(1));
            }
        }
        done.store(true, SeqCst);
        assert!(reader.join().unwrap() > 0, "the reader has seen no change");
    });
}

#[test]
fn through_the_gate_a_read_is_of_one_moment() {
    isolated(here!(), a_read_is_of_one_moment::<Gate>);
}

#[test]
fn closed_a_read_is_of_one_moment() {
    isolated(here!(), a_read_is_of_one_moment::<Closed>);
}
