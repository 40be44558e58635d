//! How a pager ends, with and without threads that wait for it.

use core::sync::atomic::{AtomicBool, Ordering::SeqCst};
use core::time::Duration;
use std::fs;
use std::thread;

use seqschedlock_pager::{Closed, Gate, PAGE_SIZE, Pager, Policy, RwLock};

use crate::isolated::{here, isolated};
use crate::scripted::{Answer, Scripted, number};
use crate::sigbus;

/// One waits for a page whose load is held, and which fails. Another waits for a page that the only handler has
/// not come to, and will not come to any more.
fn faults_that_wait<P: Policy>() {
    sigbus::catch();
    let store = Scripted::held();
    store.set(1, Answer::Error);
    let mut pager = Pager::<P>::with_policy(3, 1, store.clone(), 1).unwrap();
    let start = pager.as_ptr();
    sigbus::doomed(start.wrapping_add(PAGE_SIZE));
    store.wait_for(1);
    sigbus::doomed(start.wrapping_add(2 * PAGE_SIZE));
    let stopping = AtomicBool::new(false);
    thread::scope(|threads| {
        threads.spawn(|| {
            while !stopping.load(SeqCst) {
                thread::yield_now();
            }
            // Long enough for the doorbell to be rung; and for the second to be in its fault.
            thread::sleep(Duration::from_millis(200));
            assert_eq!(sigbus::caught(), 0);
            store.let_go(1);
        });
        stopping.store(true, SeqCst);
        pager.stop().unwrap();
        assert_eq!(
            store.loads_that_ended(),
            1,
            "it waits for the load that runs"
        );
    });
    sigbus::wait_for(2);
    pager.stop().unwrap();
    sigbus::doomed(start);
    sigbus::wait_for(3);
}

#[test]
fn threads_that_wait_when_service_ends_get_sigbus() {
    isolated(here!(), faults_that_wait::<Gate>);
}

#[test]
fn threads_that_wait_when_service_ends_get_sigbus_closed() {
    isolated(here!(), faults_that_wait::<Closed>);
}

#[test]
fn threads_that_wait_when_service_ends_get_sigbus_under_a_rwlock() {
    isolated(here!(), faults_that_wait::<RwLock>);
}

#[test]
fn a_page_that_is_mapped_is_sigbus_when_service_has_ended() {
    isolated(here!(), || {
        sigbus::catch();
        let mut pager = Pager::new(1, 1, Scripted::default(), 1).unwrap();
        assert_eq!(number(&pager, 0), 0);
        pager.stop().unwrap();
        drop(pager.invalidate(0..1));
        sigbus::doomed(pager.as_ptr());
        sigbus::wait_for(1);
    });
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn mappings() -> usize {
    fs::read_to_string("/proc/self/maps")
        .unwrap()
        .lines()
        .filter(|line| line.contains("seqschedlock-pager"))
        .count()
}

#[test]
fn a_pager_that_is_dropped_leaves_no_files_and_no_mappings() {
    isolated(here!(), || {
        let before = (open_files(), mappings());
        for handlers in [1, 2, 8] {
            let store = Scripted::default();
            store.set(0, Answer::Number(1));
            let pager = Pager::<Closed>::with_policy(64, 16, store, handlers).unwrap();
            assert_eq!(number(&pager, 0), 1);
            assert_ne!((open_files(), mappings()), before);
            drop(pager);
            assert_eq!((open_files(), mappings()), before);
        }
    });
}

/// No handler serves a child: better it dies than that it reads zeroes.
#[test]
fn a_child_has_no_memory_there() {
    isolated(here!(), || {
        let pager = Pager::new(1, 1, Scripted::default(), 1).unwrap();
        assert_eq!(number(&pager, 0), 0);
        let address = pager.as_ptr();
        // SAFETY: the child does nothing but read that address and leave.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: that it is not is what is to be seen.
            unsafe {
                address.read_volatile();
                libc::_exit(0);
            }
        }
        let mut status = 0;
        // SAFETY: the status is written to.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert!(libc::WIFSIGNALED(status), "it has read something: {status}");
        assert_eq!(libc::WTERMSIG(status), libc::SIGSEGV);
    });
}
