//! The kernel behaviour that the policies rely on. `docs/pager.md` lists these facts.

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

/// Whether reading the page faults. If it does, `serve` has to map `NEW` there.
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

/// This is why a copied page cannot be taken back.
#[test]
fn a_copied_page_can_be_read_at_once_though_no_thread_is_woken() {
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

/// If the range were registered for MISSING alone, the kernel would map the page by itself.
#[test]
fn a_page_behind_the_mapping_cannot_be_read_until_it_is_opened() {
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
fn a_page_that_is_taken_out_from_behind_cannot_be_opened() {
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

/// This is why invalidations have to punch a hole, too.
#[test]
fn a_page_that_is_left_behind_the_mapping_can_still_be_opened() {
    isolated(here!(), || {
        let region = Region::new(1, true).unwrap();
        region.fill(0, &OLD).unwrap();
        assert_eq!(region.open(0).unwrap(), Opened::Mapped);
        region.advise(0..1, libc::MADV_DONTNEED).unwrap();
        assert_eq!(region.open(0).unwrap(), Opened::Mapped);
        assert_eq!(region.load(0), word(OLD));
    });
}

/// Poison is in the mapping and not in the file, so punching a hole would leave it there.
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
fn several_handlers_wait_for_one_fault_and_all_of_them_stop() {
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

/// This is why `close` replaces the mapping first.
#[test]
fn closing_the_descriptor_shows_zeroes_to_the_waiting_threads() {
    isolated(here!(), || {
        let mut region = Region::new(1, false).unwrap();
        let address = region.as_ptr() as usize;
        let reader = thread::spawn(move || {
            // SAFETY: the address is mapped until the region is dropped, after this thread has ended.
            unsafe { (address as *const u8).read_volatile() }
        });
        while region.read_fault().unwrap().is_none() {
            thread::yield_now();
        }
        region.close_descriptor();
        assert_eq!(reader.join().unwrap(), 0);
    });
}
