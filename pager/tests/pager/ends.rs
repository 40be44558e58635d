//! The end of a pager.

use core::sync::atomic::{AtomicBool, Ordering::SeqCst};
use core::time::Duration;
use std::fs;
use std::thread;

use seqschedlock_pager::{Closed, Gate, PAGE_SIZE, Pager, Policy, RwLock};

use crate::isolated::{here, isolated};
use crate::scripted::{Answer, Scripted, number};
use crate::sigbus;

/// Two threads wait: one for a load that is held and then fails, the other for the only handler, which
/// stops after that load.
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
            // By now the doorbell has been rung, and the second thread waits in its fault.
            thread::sleep(Duration::from_millis(200));
            assert_eq!(sigbus::caught(), 0);
            store.let_go(1);
        });
        stopping.store(true, SeqCst);
        pager.stop().unwrap();
        assert_eq!(store.loads_that_ended(), 1, "it waits for the running load");
    });
    sigbus::wait_for(2);
    pager.stop().unwrap();
    sigbus::doomed(start);
    sigbus::wait_for(3);
}

#[test]
fn threads_that_wait_at_the_end_of_service_get_sigbus() {
    isolated(here!(), faults_that_wait::<Gate>);
}

#[test]
fn threads_that_wait_at_the_end_of_service_get_sigbus_closed() {
    isolated(here!(), faults_that_wait::<Closed>);
}

#[test]
fn threads_that_wait_at_the_end_of_service_get_sigbus_under_a_rwlock() {
    isolated(here!(), faults_that_wait::<RwLock>);
}

#[test]
fn a_mapped_page_is_sigbus_after_the_end_of_service() {
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

/// No handler serves the faults of a child, which must not read zeroes instead.
#[test]
fn a_child_process_does_not_inherit_the_memory() {
    isolated(here!(), || {
        let pager = Pager::new(1, 1, Scripted::default(), 1).unwrap();
        assert_eq!(number(&pager, 0), 0);
        let address = pager.as_ptr();
        // SAFETY: the child only reads the address and exits.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: the read is expected to end the child.
            unsafe {
                address.read_volatile();
                libc::_exit(0);
            }
        }
        let mut status = 0;
        // SAFETY: the call writes to `status`.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert!(
            libc::WIFSIGNALED(status),
            "the child has read the page: {status}"
        );
        assert_eq!(libc::WTERMSIG(status), libc::SIGSEGV);
    });
}
