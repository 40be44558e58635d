//! `io_setup` and `io_destroy`.

use std::sync::Arc;
use std::thread;

use seqschedlock_sim::aio::ring::{Mm, Trouble, Version, Violation};
use seqschedlock_sim::aio::{Errno, LockClass};

const TROUBLES: [(Trouble, Errno); 5] = [
    (Trouble::File, Errno::NoMemory),
    (Trouble::Page(0), Errno::NoMemory),
    (Trouble::Page(1), Errno::NoMemory),
    (Trouble::Map, Errno::NoMemory),
    (Trouble::Killed, Errno::Interrupted),
];

/// Two pages.
const EVENTS: u32 = 200;

#[test]
fn invalid_numbers_of_events_are_refused() {
    for version in Version::ALL {
        let process = Mm::new(version);
        assert_eq!(process.io_setup(0), Err(Errno::Invalid));
        assert_eq!(process.io_setup(0x40_0001), Err(Errno::Invalid));
        assert_eq!(process.aio_nr(), 0);
        assert_eq!(process.check(), Ok(()));
    }
}

#[test]
fn a_setup_in_trouble_answers_why_and_leaves_nothing_behind() {
    for version in Version::ALL {
        for (trouble, errno) in TROUBLES {
            let process = Mm::new(version);
            let answer = process.io_setup_in_trouble(EVENTS, Some(trouble));
            assert_eq!(answer, Err(errno), "{}: {trouble:?}", version.name);
            assert_eq!(process.aio_nr(), 0);
            assert_eq!(process.check(), Ok(()), "{}: {trouble:?}", version.name);
        }
    }
}

/// The third draft jumped past the unlock.
#[test]
fn a_setup_that_forgets_to_unlock_is_found_out() {
    let third_draft = Version {
        failure_unlocks: false,
        ..Version::MERGED
    };
    let class = LockClass::RingLock;
    for (trouble, errno) in TROUBLES {
        let process = Mm::new(third_draft);
        // In a thread of its own, which never releases the lock.
        thread::scope(|threads| {
            threads.spawn(|| {
                let answer = process.io_setup_in_trouble(EVENTS, Some(trouble));
                assert_eq!(answer, Err(errno));
            });
        });
        assert_eq!(process.check(), Err(vec![Violation::LockLeft { class }]));
    }
}

#[test]
fn all_contexts_together_have_a_limit() {
    for version in [Version::MERGED, Version::COMMIT] {
        let process = Mm::new(version);
        let first = process.io_setup(0x8000).unwrap();
        let second = process.io_setup(0x8000).unwrap();
        assert_eq!(process.aio_nr(), 0x10000);
        assert_eq!(process.io_setup(1), Err(Errno::Again));
        assert_eq!(process.aio_nr(), 0x10000);
        assert_eq!(process.check(), Ok(()), "the third left nothing behind");

        process.io_destroy(first).unwrap();
        let third = process.io_setup(1).unwrap();
        for id in [second, third] {
            process.io_destroy(id).unwrap();
        }
        assert_eq!(process.aio_nr(), 0);
        assert_eq!(process.check(), Ok(()));
    }
}

/// A setup that the limit refused had mapped its ring by then, and did not unmap it before 2015.
#[test]
fn a_setup_beyond_the_limit_left_its_area_behind_before_2015() {
    for version in Version::ALL
        .into_iter()
        .filter(|version| !version.failure_unmaps)
    {
        let process = Mm::new(version);
        assert_eq!(process.io_setup(0x10001), Err(Errno::Again));
        let expected = vec![Violation::AreasLeft { areas: 1 }];
        assert_eq!(process.check(), Err(expected), "{}", version.name);
    }
}

#[test]
fn a_context_is_destroyed_once() {
    for version in Version::ALL {
        let process = Mm::new(version);
        let id = process.io_setup(EVENTS).unwrap();
        assert_eq!(process.io_destroy(id), Ok(()));
        assert_eq!(process.io_destroy(id), Err(Errno::Invalid));
        assert_eq!(process.check(), Ok(()), "{}", version.name);
    }
}

#[test]
fn an_id_is_the_address_of_a_ring_of_the_process() {
    let process = Mm::new(Version::MERGED);
    let other = Mm::new(Version::MERGED);
    let id = process.io_setup(EVENTS).unwrap();
    for (process, id) in [(&process, 0), (&process, id + 4), (&other, id)] {
        assert_eq!(process.context(id).err(), Some(Errno::Invalid));
        assert_eq!(process.io_destroy(id), Err(Errno::Invalid));
    }
    assert!(process.context(id).is_ok());
}

#[test]
fn a_place_in_the_table_is_used_again() {
    let process = Mm::new(Version::MERGED);
    let ids = [1, 2, 3].map(|events| process.io_setup(events).unwrap());
    process.io_destroy(ids[1]).unwrap();
    let again = process.io_setup(1).unwrap();
    assert!(!ids.contains(&again), "at an address of its own");
    assert_eq!(process.check(), Ok(()), "and every ring says where it is");
    for id in [ids[0], ids[2], again] {
        assert_eq!(process.io_destroy(id), Ok(()));
    }
}

#[test]
fn a_context_in_use_lives_until_it_is_let_go() {
    for version in Version::ALL {
        let process = Mm::new(version);
        let id = process.io_setup(EVENTS).unwrap();
        let context = process.context(id).unwrap();
        let request = context.io_submit().unwrap();
        process.io_destroy(id).unwrap();
        assert_eq!(context.io_submit().err(), Some(Errno::Invalid));
        drop(context);
        request.complete(1); // as if nothing had happened
        assert_eq!(process.check(), Ok(()), "{}", version.name);
    }
}

#[test]
fn exit_destroys_all_contexts() {
    for version in Version::ALL {
        let process = Mm::new(version);
        for events in [1, EVENTS, 1000] {
            process.io_setup(events).unwrap();
        }
        process.exit_aio();
        assert_eq!(process.aio_nr(), 0);
        assert_eq!(process.check(), Ok(()), "{}", version.name);
        process.exit_aio(); // nothing is left to do
    }
}

#[test]
fn a_process_goes_with_its_rings() {
    let process = Mm::new(Version::MERGED);
    let id = process.io_setup(EVENTS).unwrap();
    let context = process.context(id).unwrap();
    let weak = Arc::downgrade(&process);
    drop(process);
    assert!(weak.upgrade().is_some(), "a context keeps it");
    drop(context);
    assert!(weak.upgrade().is_none());
}

#[test]
fn debug_of_a_process_shows_its_rings_and_comes_to_an_end() {
    let process = Mm::new(Version::MERGED);
    process.io_setup(1).unwrap();
    let text = format!("{process:?}");
    assert!(
        text.contains("SleepingLock { class: RingLock, .. }"),
        "{text}"
    );
}
