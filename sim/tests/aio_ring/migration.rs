//! Pages that are moved.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

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

/// The first draft takes its locks in a circle. It is found out even if no thread waits for
/// another.
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

/// Gives the processor away between two steps of a race, now and then.
fn now_and_then() {
    if fastrand::u8(..32) == 0 {
        thread::yield_now();
    }
}

/// How many events are completed and read.
const TRAFFIC: u64 = 1000;

/// Threads read, complete, move and set up, all at once.
fn all_at_once(version: Version) {
    let process = Mm::with_pauses(version, now_and_then);
    let id = process.io_setup(EVENTS).unwrap();
    let parts: [fn(&Arc<Mm>, u64); 4] = [complete, read, migrate, churn];
    let threads = parts.map(|part| {
        let process = Arc::clone(&process);
        thread::spawn(move || part(&process, id))
    });
    let deadline = Instant::now() + Duration::from_secs(120);
    while threads.iter().any(|thread| !thread.is_finished()) {
        let in_time = Instant::now() < deadline;
        assert!(in_time, "{}: a thread does not end", version.name);
        thread::sleep(Duration::from_millis(5));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(process.check(), Ok(()), "{}", version.name);
    process.exit_aio();
    assert_eq!(process.check(), Ok(()), "{}", version.name);
}

fn complete(process: &Arc<Mm>, id: u64) {
    let context = process.context(id).unwrap();
    let mut event = 0;
    while event < TRAFFIC {
        match context.io_submit() {
            Ok(request) => {
                event += 1;
                request.complete(event);
            }
            Err(_) => thread::yield_now(),
        }
    }
}

fn read(process: &Arc<Mm>, id: u64) {
    let mut receipts = Receipts::default();
    let mut left = TRAFFIC as usize;
    while left > 0 {
        let context = process.context(id).unwrap();
        let events = context.read_events(5, Buffer::Faulting).unwrap();
        left = left.saturating_sub(events.len());
        receipts.receive(&events);
    }
    assert_eq!(receipts.check(TRAFFIC), Ok(()));
}

fn migrate(process: &Arc<Mm>, id: u64) {
    for round in 0..1000 {
        // It is refused while the page is in use.
        let _ = process.compact(round);
        let _ = process.move_pages(id, round % 2);
    }
}

fn churn(process: &Arc<Mm>, _id: u64) {
    for _ in 0..200 {
        let other = process.io_setup(1).unwrap();
        let request = process.context(other).unwrap().io_submit().unwrap();
        request.complete(1);
        process.io_destroy(other).unwrap();
    }
}

#[test]
fn sound_versions_hold_when_all_happens_at_once() {
    for version in Version::ALL.into_iter().filter(|version| version.sound) {
        all_at_once(version);
    }
}
