//! Pages that are moved, and what keeps them from it.

use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use seqschedlock_sim::aio::ring::{Buffer, Migrate, Mm, Receipts, Version, Violation};
use seqschedlock_sim::aio::{Errno, LockClass};

/// Two pages.
const EVENTS: u32 = 200;

#[test]
fn a_moved_page_takes_its_events_along() {
    for version in Version::ALL {
        let process = Mm::new(version);
        let id = process.io_setup(EVENTS).unwrap();
        let context = process.context(id).unwrap();
        let mut receipts = Receipts::default();
        let mut completed = 0;
        for round in 0..1000_usize {
            for _ in 0..round % 7 {
                completed += 1;
                context.io_submit().unwrap().complete(completed);
            }
            assert_eq!(process.compact(round), Ok(()), "{}", version.name);
            assert_eq!(
                process.move_pages(id, round % 2),
                Ok(()),
                "{}",
                version.name
            );
            let events = context.read_events(round % 5 + 3, Buffer::Faulting);
            receipts.receive(&events.unwrap());
        }
        let rest = context.read_events(usize::MAX, Buffer::Present).unwrap();
        receipts.receive(&rest);
        assert_eq!(receipts.check(completed), Ok(()));
        drop(context);
        assert_eq!(process.check(), expected(version), "{}", version.name);
        process.io_destroy(id).unwrap();
        assert_eq!(process.check(), expected(version), "{}", version.name);
    }
}

/// The first draft takes its locks in a circle. That shows without anybody waiting for anybody.
fn expected(version: Version) -> Result<(), Vec<Violation>> {
    match version.migrate {
        Migrate::WaitsForRingLock => Err(vec![Violation::LockCircle(vec![
            LockClass::MmapSem,
            LockClass::RingLock,
        ])]),
        _ => Ok(()),
    }
}

#[test]
fn there_is_nothing_to_move_where_there_is_no_ring() {
    let process = Mm::new(Version::MERGED);
    assert_eq!(process.compact(0), Err(Errno::Invalid));
    assert_eq!(process.move_pages(0x1000, 0), Err(Errno::Fault));
    let id = process.io_setup(EVENTS).unwrap();
    assert_eq!(process.move_pages(id, 2), Err(Errno::Fault));
    process.io_destroy(id).unwrap();
    assert_eq!(process.compact(0), Err(Errno::Invalid));
    assert_eq!(process.move_pages(id, 0), Err(Errno::Fault));
    assert_eq!(process.check(), Ok(()));
}

#[test]
fn a_context_that_is_in_use_after_its_end_can_still_be_moved() {
    for version in Version::ALL {
        let process = Mm::new(version);
        let id = process.io_setup(EVENTS).unwrap();
        let context = process.context(id).unwrap();
        process.io_destroy(id).unwrap();
        assert_eq!(process.compact(0), Ok(()), "{}", version.name);
        drop(context);
        assert_eq!(process.check(), Ok(()), "{}", version.name);
    }
}

/// Threads read, complete, move and set up for a while.
///
/// Its deadline is generous: nothing here should take longer than a moment.
fn all_at_once(version: Version) {
    const ROUNDS: u64 = 2000;
    let process = Mm::new(version);
    let id = process.io_setup(EVENTS).unwrap();
    let start = Arc::new(Barrier::new(4));
    let (done, finished) = mpsc::channel();
    let spawn = |part: Box<dyn FnOnce(&Arc<Mm>) + Send>| {
        let (process, start, done) = (Arc::clone(&process), Arc::clone(&start), done.clone());
        thread::spawn(move || {
            start.wait();
            part(&process);
            drop(process);
            let _ = done.send(());
        });
    };
    spawn(Box::new(move |process| {
        let context = process.context(id).unwrap();
        let mut event = 0;
        while event < ROUNDS {
            match context.io_submit() {
                Ok(request) => {
                    event += 1;
                    request.complete(event);
                }
                Err(_) => thread::yield_now(),
            }
        }
    }));
    spawn(Box::new(move |process| {
        let mut receipts = Receipts::default();
        let mut left = ROUNDS as usize;
        while left > 0 {
            let context = process.context(id).unwrap();
            let events = context.read_events(5, Buffer::Faulting).unwrap();
            left = left.saturating_sub(events.len());
            receipts.receive(&events);
        }
        assert_eq!(receipts.check(ROUNDS), Ok(()));
    }));
    spawn(Box::new(move |process| {
        for round in 0..ROUNDS as usize {
            // It is refused where the page is in use.
            let _ = process.compact(round);
            let _ = process.move_pages(id, round % 2);
        }
    }));
    spawn(Box::new(move |process| {
        for _ in 0..ROUNDS / 10 {
            let other = process.io_setup(1).unwrap();
            process
                .context(other)
                .unwrap()
                .io_submit()
                .unwrap()
                .complete(1);
            process.io_destroy(other).unwrap();
        }
    }));
    for _ in 0..4 {
        finished
            .recv_timeout(Duration::from_secs(60))
            .unwrap_or_else(|error| panic!("{}: a thread does not end: {error}", version.name));
    }
    assert_eq!(process.check(), Ok(()), "{}", version.name);
    process.exit_aio();
    assert_eq!(process.check(), Ok(()), "{}", version.name);
}

#[test]
fn sound_versions_hold_when_all_happens_at_once() {
    for version in Version::ALL.into_iter().filter(|version| version.sound) {
        all_at_once(version);
    }
}
