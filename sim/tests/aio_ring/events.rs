//! `io_submit`, completions, and `io_getevents`.

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::ring::{Buffer, ContextRef, Mm, Version};

/// A context for so many events in a process of its own.
fn context(version: Version, events: u32) -> ContextRef {
    let process = Mm::new(version);
    let id = process.io_setup(events).unwrap();
    process.context(id).unwrap()
}

fn complete(context: &ContextRef, events: impl IntoIterator<Item = u64>) {
    for event in events {
        context.io_submit().unwrap().complete(event);
    }
}

#[test]
fn events_come_out_in_the_order_in_which_they_went_in() {
    for version in Version::ALL {
        let context = context(version, 10);
        complete(&context, 1..=5);
        assert_eq!(context.read_events(2, Buffer::Present), Ok(vec![1, 2]));
        assert_eq!(context.read_events(9, Buffer::Present), Ok(vec![3, 4, 5]));
        assert_eq!(context.read_events(9, Buffer::Present), Ok(vec![]));
    }
}

#[test]
fn a_ring_holds_as_many_events_as_fit_and_no_more() {
    // 127 slots beside the header, and one of them stays empty.
    let context = context(Version::MERGED, 1);
    complete(&context, 1..=126);
    assert_eq!(context.io_submit().err(), Some(Errno::Again));
    assert_eq!(context.read_events(1, Buffer::Present), Ok(vec![1]));
    complete(&context, [127]);
    assert_eq!(context.io_submit().err(), Some(Errno::Again));
    let rest = context.read_events(usize::MAX, Buffer::Present).unwrap();
    assert!(rest.into_iter().eq(2..=127));
}

#[test]
fn a_ring_of_several_pages_goes_round() {
    for version in Version::ALL {
        let context = context(version, 300); // three pages
        let (mut written, mut read) = (0, Vec::new());
        for step in [100, 250, 380, 1, 333, 382] {
            complete(&context, written + 1..=written + step);
            written += step;
            loop {
                let more = context.read_events(97, Buffer::Present).unwrap();
                if more.is_empty() {
                    break;
                }
                read.extend(more);
            }
        }
        assert!(read.into_iter().eq(1..=written), "{}", version.name);
    }
}

#[test]
fn a_bad_buffer_loses_no_event() {
    for version in Version::ALL {
        let context = context(version, 10);
        assert_eq!(
            context.read_events(9, Buffer::Bad),
            Ok(vec![]),
            "nothing to copy"
        );
        complete(&context, 1..=2);
        assert_eq!(context.read_events(9, Buffer::Bad), Err(Errno::Fault));
        assert_eq!(context.read_events(9, Buffer::Faulting), Ok(vec![1, 2]));
    }
}

#[test]
fn a_dead_context_answers_when_it_has_no_events_left() {
    for version in Version::ALL {
        let process = Mm::new(version);
        let id = process.io_setup(10).unwrap();
        let context = process.context(id).unwrap();
        complete(&context, [1]);
        process.io_destroy(id).unwrap();
        assert_eq!(context.read_events(9, Buffer::Present), Ok(vec![1]));
        assert_eq!(context.read_events(9, Buffer::Present), Err(Errno::Invalid));
        assert_eq!(context.read_events(9, Buffer::Bad), Err(Errno::Invalid));
        drop(context);
        assert_eq!(process.check(), Ok(()), "{}", version.name);
    }
}
