//! What the kernel does, as far as the policies lean on it: each a fact of `docs/pager.md`.

use core::time::Duration;
use std::thread;

use super::{Doorbell, Poll, Ready, Region};
use crate::isolated::{here, isolated};
use crate::memory::{Memory as _, Opened, PAGE_SIZE};

const OLD: [u8; PAGE_SIZE] = [1; PAGE_SIZE];
const NEW: [u8; PAGE_SIZE] = [2; PAGE_SIZE];

fn word(bytes: [u8; PAGE_SIZE]) -> u32 {
    u32::from_ne_bytes([bytes[0]; 4])
}

/// Whether somebody faults on the page: a thread that reads it waits until it is served with `NEW`.
fn faults(region: &Region, page: usize, serve: impl FnOnce()) -> bool {
    let doorbell = Doorbell::new().unwrap();
    let poll = Poll::new(region, &doorbell).unwrap();
    thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let read = region.load(page * PAGE_SIZE);
            doorbell.ring();
            read
        });
        let faulted = poll.wait().unwrap() == Ready::Fault;
        if faulted {
            let fault = region.read_fault().unwrap().expect("one is ready");
            assert_eq!(region.page_of(fault), page);
            serve();
            region.wake(page);
            assert_eq!(reader.join().unwrap(), word(NEW));
        }
        faulted
    })
}

/// This is why nothing can be taken back that has been copied in.
#[test]
fn a_copied_page_is_seen_at_once_though_nobody_is_woken() {
    isolated(here!(), || {
        let region = Region::new(1, false).unwrap();
        region.copy(0, &OLD).unwrap();
        assert_eq!(region.load(0), word(OLD));
    });
}

#[test]
fn a_page_that_is_taken_out_faults_again() {
    isolated(here!(), || {
        let region = Region::new(2, false).unwrap();
        region.copy(0, &OLD).unwrap();
        region.copy(1, &OLD).unwrap();
        region.take_out(1..2);
        assert_eq!(region.load(0), word(OLD));
        assert!(faults(&region, 1, || region.copy(1, &NEW).unwrap()));
        assert!(!faults(&region, 1, || unreachable!()));
    });
}

#[test]
fn a_page_that_is_there_is_not_copied_over() {
    isolated(here!(), || {
        let region = Region::new(1, false).unwrap();
        region.copy(0, &OLD).unwrap();
        region.copy(0, &NEW).unwrap();
        assert_eq!(region.load(0), word(OLD));
    });
}

/// Registered for MISSING alone, the kernel would map it by itself.
#[test]
fn what_is_behind_the_mapping_is_not_seen_until_it_is_opened() {
    isolated(here!(), || {
        let region = Region::new(1, true).unwrap();
        region.fill(0, &NEW).unwrap();
        assert!(faults(&region, 0, || {
            assert_eq!(region.open(0).unwrap(), Opened::Mapped);
            assert_eq!(
                region.open(0).unwrap(),
                Opened::Mapped,
                "it is there already"
            );
        }));
    });
}

#[test]
fn what_has_been_taken_out_from_behind_cannot_be_opened() {
    isolated(here!(), || {
        let region = Region::new(1, true).unwrap();
        assert_eq!(region.open(0).unwrap(), Opened::Gone);
        region.fill(0, &OLD).unwrap();
        region.take_out(0..1);
        assert_eq!(region.open(0).unwrap(), Opened::Gone);
        region.fill(0, &OLD).unwrap();
        assert_eq!(region.open(0).unwrap(), Opened::Mapped);
        region.take_out(0..1);
        assert_eq!(region.open(0).unwrap(), Opened::Gone);
        assert!(faults(&region, 0, || {
            region.fill(0, &NEW).unwrap();
            assert_eq!(region.open(0).unwrap(), Opened::Mapped);
        }));
    });
}

/// Why a hole has to be punched, and taking pages out of the mapping is not enough.
#[test]
fn what_is_left_behind_the_mapping_can_be_opened_late() {
    isolated(here!(), || {
        let region = Region::new(1, true).unwrap();
        region.fill(0, &OLD).unwrap();
        assert_eq!(region.open(0).unwrap(), Opened::Mapped);
        region.advise(0..1, libc::MADV_DONTNEED).unwrap();
        assert_eq!(region.open(0).unwrap(), Opened::Mapped);
        assert_eq!(region.load(0), word(OLD));
    });
}

/// Poison is no page of the file: punching a hole alone would leave it there.
#[test]
fn poison_lasts_until_the_page_is_taken_out() {
    isolated(here!(), || {
        for behind in [false, true] {
            let region = Region::new(1, behind).unwrap();
            if !region.poison(0) {
                continue; // a kernel older than 6.6
            }
            assert!(region.poison(0), "it is there already");
            region.copy(0, &OLD).unwrap();
            region.take_out(0..1);
            assert!(faults(&region, 0, || region.copy(0, &NEW).unwrap()));
        }
    });
}

#[test]
fn one_of_several_who_wait_is_told_of_a_fault_and_all_of_the_end() {
    isolated(here!(), || {
        let region = Region::new(1, false).unwrap();
        let doorbell = Doorbell::new().unwrap();
        thread::scope(|threads| {
            for _ in 0..3 {
                let poll = Poll::new(&region, &doorbell).unwrap();
                let (region, doorbell) = (&region, &doorbell);
                threads.spawn(move || {
                    while poll.wait().unwrap() == Ready::Fault {
                        if region.read_fault().unwrap().is_some() {
                            region.copy(0, &NEW).unwrap();
                            region.wake(0);
                            doorbell.ring();
                        }
                    }
                });
            }
            thread::sleep(Duration::from_millis(20));
            assert_eq!(region.load(0), word(NEW));
        });
    });
}
