//! Stores that fail.

use std::io;
use std::thread;

use seqschedlock_pager::{Closed, Gate, PAGE_SIZE, PageMutex, Pager, Policy, RwLock, Unprotected};

use crate::isolated::{here, isolated};
use crate::scripted::{Answer, Scripted, number};
use crate::sigbus;

/// The thread that waits for the load gets SIGBUS, and so does one that touches the page later. Other pages
/// are served, and so is this one after its next invalidation.
fn a_page_that_cannot_be_loaded<P: Policy>(answer: Answer, kind: io::ErrorKind) {
    sigbus::catch();
    let store = Scripted::default();
    store.set(1, answer);
    store.set(2, Answer::Number(7));
    let pager = Pager::<P>::with_policy(3, 1, store.clone(), 1).unwrap();
    let page = pager.as_ptr().wrapping_add(PAGE_SIZE);
    for nth in 1..=2 {
        sigbus::doomed(page);
        sigbus::wait_for(nth);
    }
    let failure = pager
        .take_failure()
        .expect("the pager keeps the last failure");
    assert_eq!((failure.page, failure.error.kind()), (1, kind));
    assert!(pager.take_failure().is_none(), "it has been taken");
    assert_eq!(number(&pager, 2), 7);

    let section = pager.invalidate(0..3);
    store.set(1, Answer::Number(3));
    drop(section);
    assert_eq!(number(&pager, 1), 3);
    assert_eq!(sigbus::caught(), 2);
}

fn an_error<P: Policy>() {
    a_page_that_cannot_be_loaded::<P>(Answer::Error, io::ErrorKind::HostUnreachable);
}

#[test]
fn a_load_that_fails_is_sigbus_until_the_next_invalidation_through_the_gate() {
    isolated(here!(), an_error::<Gate>);
}

#[test]
fn a_load_that_fails_is_sigbus_until_the_next_invalidation_closed() {
    isolated(here!(), an_error::<Closed>);
}

#[test]
fn a_load_that_fails_is_sigbus_until_the_next_invalidation_under_a_rwlock() {
    isolated(here!(), an_error::<RwLock>);
}

#[test]
fn a_load_that_fails_is_sigbus_until_the_next_invalidation_under_page_mutexes() {
    isolated(here!(), an_error::<PageMutex>);
}

#[test]
fn a_load_that_fails_is_sigbus_until_the_next_invalidation_unprotected() {
    isolated(here!(), an_error::<Unprotected>);
}

fn a_panic<P: Policy>() {
    a_page_that_cannot_be_loaded::<P>(Answer::Panic, io::ErrorKind::Other);
}

#[test]
fn a_load_that_panics_has_failed_and_its_handler_serves_on() {
    isolated(here!(), a_panic::<Gate>);
}

#[test]
fn a_load_that_panics_has_failed_and_its_handler_serves_on_closed() {
    isolated(here!(), a_panic::<Closed>);
}

#[test]
fn a_load_that_panics_leaves_a_rwlock_usable() {
    isolated(here!(), a_panic::<RwLock>);
}

/// A failure that an invalidation has overtaken must not be published.
fn a_failure_that_is_overtaken<P: Policy>() {
    let store = Scripted::held();
    store.set(0, Answer::Error);
    let pager = Pager::<P>::with_policy(1, 1, store.clone(), 1).unwrap();
    thread::scope(|threads| {
        let first = threads.spawn(|| number(&pager, 0));
        store.wait_for(1);
        let section = pager.invalidate(0..1);
        store.set(0, Answer::Number(4));
        drop(section);
        store.let_go(usize::MAX);
        assert_eq!(first.join().unwrap(), 4);
    });
}

#[test]
fn an_overtaken_failure_is_not_published_through_the_gate() {
    isolated(here!(), a_failure_that_is_overtaken::<Gate>);
}

#[test]
fn an_overtaken_failure_is_not_published_closed() {
    isolated(here!(), a_failure_that_is_overtaken::<Closed>);
}
