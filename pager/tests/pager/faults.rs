//! Faults without invalidations.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::thread;

use seqschedlock_pager::{
    Closed, FileStore, Gate, PAGE_SIZE, PageMutex, Pager, Policy, RwLock, Store, Unprotected,
};

use crate::isolated::{here, isolated};
use crate::scripted::{Answer, Scripted, fill, number};
use crate::sigbus;

/// A store whose page `n` is filled with the number `n + 1`.
struct Numbered;

impl Store for Numbered {
    fn load(&self, page: usize, into: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        fill(into, page as u32 + 1);
        Ok(())
    }
}

/// Four threads read a thousand pages, each in its own order.
fn a_thousand_pages<P: Policy>() {
    let pager = Pager::<P>::with_policy(1000, 16, Numbered, 2).unwrap();
    thread::scope(|threads| {
        for stride in [1, 3, 7, 9] {
            let pager = &pager;
            threads.spawn(move || {
                for step in 0..1000 {
                    let page = step * stride % 1000;
                    for at in [0, 4, 2048, PAGE_SIZE - 4] {
                        assert_eq!(pager.load(page * PAGE_SIZE + at), page as u32 + 1);
                    }
                }
            });
        }
    });
    let counts = pager.counts();
    assert!(counts.faults >= 1000, "{counts:?}");
    assert_eq!(counts.loads, counts.faults, "{counts:?}");
    assert_eq!((counts.conflicts, counts.turns, counts.failures), (0, 0, 0));
}

#[test]
fn two_handlers_serve_a_thousand_pages_unprotected() {
    isolated(here!(), a_thousand_pages::<Unprotected>);
}

#[test]
fn two_handlers_serve_a_thousand_pages_under_a_rwlock() {
    isolated(here!(), a_thousand_pages::<RwLock>);
}

#[test]
fn two_handlers_serve_a_thousand_pages_under_page_mutexes() {
    isolated(here!(), a_thousand_pages::<PageMutex>);
}

#[test]
fn two_handlers_serve_a_thousand_pages_through_the_gate() {
    isolated(here!(), a_thousand_pages::<Gate>);
}

#[test]
fn two_handlers_serve_a_thousand_pages_closed() {
    isolated(here!(), a_thousand_pages::<Closed>);
}

#[test]
fn a_page_that_is_there_is_not_loaded_again() {
    isolated(here!(), || {
        let pager = Pager::new(2, 1, Numbered, 1).unwrap();
        for _ in 0..10 {
            assert_eq!(number(&pager, 1), 2);
        }
        assert_eq!(pager.counts().loads, 1);
    });
}

fn evicted_pages_are_loaded_again<P: Policy>() {
    let pager = Pager::<P>::with_policy(4, 1, Numbered, 1).unwrap();
    for round in 1..=3 {
        for page in 0..4 {
            assert_eq!(number(&pager, page), page as u32 + 1);
        }
        assert_eq!(pager.counts().loads, 4 * round);
        pager.evict(0..4);
    }
    pager.evict(2..2);
}

#[test]
fn pages_evicted_from_the_mapping_are_loaded_again() {
    isolated(here!(), evicted_pages_are_loaded_again::<Gate>);
}

#[test]
fn pages_evicted_from_behind_the_mapping_are_loaded_again() {
    isolated(here!(), evicted_pages_are_loaded_again::<Closed>);
}

/// Eight threads touch one page while its load is held, with handlers to spare.
fn one_page_is_loaded_once<P: Policy>() {
    let store = Scripted::held();
    store.set(0, Answer::Number(5));
    let pager = Pager::<P>::with_policy(1, 1, store.clone(), 8).unwrap();
    thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| assert_eq!(number(&pager, 0), 5));
        }
        store.wait_for(1);
        // Seven handlers have left their faults to the first.
        while pager.counts().joined < 7 {
            thread::yield_now();
        }
        store.let_go(1);
    });
    let counts = pager.counts();
    assert_eq!((counts.faults, counts.loads, counts.joined), (1, 1, 7));
}

#[test]
fn a_page_that_many_touch_is_loaded_once() {
    isolated(here!(), one_page_is_loaded_once::<Gate>);
}

#[test]
fn a_page_that_many_touch_is_loaded_once_closed() {
    isolated(here!(), one_page_is_loaded_once::<Closed>);
}

#[test]
fn bytes_are_read_from_any_place_in_any_number() {
    isolated(here!(), || {
        let pager = Pager::new(3, 1, Numbered, 1).unwrap();
        let mut whole = vec![0; 3 * PAGE_SIZE];
        pager.read(0, &mut whole);
        for from in [0, 1, 7, PAGE_SIZE - 3, 2 * PAGE_SIZE - 8] {
            for bytes in [0, 1, 3, 8, 9, 31, PAGE_SIZE] {
                let mut some = vec![0; bytes];
                pager.read(from, &mut some);
                assert_eq!(some, whole[from..from + bytes], "{bytes} bytes at {from}");
            }
        }
        let mut none = [];
        pager.read(3 * PAGE_SIZE, &mut none);
    });
}

#[test]
fn accesses_outside_the_memory_panic() {
    isolated(here!(), || {
        let pager = Pager::new(2, 1, Numbered, 1).unwrap();
        let refused = |act: &dyn Fn()| {
            let act = std::panic::AssertUnwindSafe(act);
            assert!(std::panic::catch_unwind(act).is_err());
        };
        refused(&|| pager.read(PAGE_SIZE, &mut [0; PAGE_SIZE + 1]));
        refused(&|| pager.read(usize::MAX, &mut [0; 2]));
        refused(&|| {
            let _ = pager.load(2 * PAGE_SIZE);
        });
        refused(&|| {
            let _ = pager.load(2);
        });
        refused(&|| drop(pager.invalidate(1..3)));
        refused(&|| pager.evict(3..3));
        assert_eq!(pager.counts().invalidations, 0);
    });
}

/// As in a file that the kernel maps.
#[test]
fn after_the_end_of_a_file_its_last_page_has_zeroes_and_the_next_is_sigbus() {
    isolated(here!(), || {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[9; PAGE_SIZE + 10]).unwrap();
        let pager = Pager::new(3, 1, FileStore::new(file), 1).unwrap();
        let mut bytes = [1; 20];
        pager.read(PAGE_SIZE, &mut bytes);
        assert_eq!((&bytes[..10], &bytes[10..]), (&[9; 10][..], &[0; 10][..]));
        sigbus::catch();
        sigbus::doomed(pager.as_ptr().wrapping_add(2 * PAGE_SIZE));
        sigbus::wait_for(1);
        let failure = pager
            .take_failure()
            .expect("the pager keeps the last failure");
        assert_eq!(failure.page, 2);
        assert_eq!(failure.error.kind(), io::ErrorKind::UnexpectedEof);
    });
}

/// A system call reads the memory, where handlers may serve faults of the kernel.
#[test]
fn system_calls_read_pages_or_fail_with_efault() {
    isolated(here!(), || {
        let pager = Pager::new(1, 1, Numbered, 1).unwrap();
        let (mut reader, writer) = UnixStream::pair().unwrap();
        // SAFETY: the four bytes are mapped for as long as the pager lives.
        let wrote = unsafe { libc::write(writer.as_raw_fd(), pager.as_ptr().cast(), 4) };
        if wrote == 4 {
            let mut bytes = [0; 4];
            reader.read_exact(&mut bytes).unwrap();
            assert_eq!(u32::from_ne_bytes(bytes), 1);
        } else {
            let error = io::Error::last_os_error();
            assert_eq!(error.raw_os_error(), Some(libc::EFAULT), "user mode only");
        }
    });
}
