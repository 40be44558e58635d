//! How retried requests behave when nothing happens at the same time.
#![cfg(not(loom))]

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::retry::{
    End, INTERRUPTED, Kioctx, Looks, Method, RetryMethod, RunnerLook, Version, Violation, WaitQueue,
};

const BOTH: [Looks; 2] = [Looks::Once, Looks::Twice];

/// Each version with each kind of method.
fn everywhere(test: impl Fn(Version, Looks)) {
    for version in Version::ALL {
        for looks in BOTH {
            test(version, looks);
        }
    }
}

fn queues(context: &Kioctx, number: usize) -> Vec<Arc<WaitQueue>> {
    (0..number).map(|_| context.wait_queue()).collect()
}

#[test]
fn a_request_that_need_not_wait_ends_at_once() {
    everywhere(|version, looks| {
        let context = Kioctx::new(version);
        let request = context.io_submit(RetryMethod::new(looks, &[]));
        assert!(request.is_completed());
        assert_eq!(context.take_events(), [(1, 0)]);
        assert_eq!(context.check(), Ok(()), "{}", version.name);
    });
}

#[test]
fn a_request_waits_for_its_conditions_one_after_the_other() {
    everywhere(|version, looks| {
        let context = Kioctx::new(version);
        let queues = queues(&context, 3);
        let request = context.io_submit(RetryMethod::new(looks, &queues));
        for queue in &queues {
            assert_eq!(context.check(), Ok(()), "{}", version.name);
            assert!(!request.is_completed());
            queue.wake_up();
            context.work();
        }
        assert!(request.is_completed());
        assert_eq!(context.take_events(), [(1, 0)]);
        assert_eq!(context.check(), Ok(()), "{}", version.name);
        assert_eq!(context.io_destroy(), Ok(()));
    });
}

#[test]
fn a_condition_that_is_true_already_is_not_waited_for() {
    everywhere(|version, looks| {
        let context = Kioctx::new(version);
        let queues = queues(&context, 2);
        queues[0].wake_up();
        let request = context.io_submit(RetryMethod::new(looks, &queues));
        queues[1].wake_up();
        context.work();
        assert!(request.is_completed());
        assert_eq!(context.check(), Ok(()), "{}", version.name);
    });
}

#[test]
fn one_wake_up_is_for_every_waiting_request() {
    everywhere(|version, looks| {
        let context = Kioctx::new(version);
        let queues = queues(&context, 1);
        let requests = [(); 3].map(|()| context.io_submit(RetryMethod::new(looks, &queues)));
        queues[0].wake_up();
        context.work();
        assert!(requests.iter().all(|request| request.is_completed()));
        assert_eq!(context.take_events(), [(1, 0), (2, 0), (3, 0)]);
        assert_eq!(context.check(), Ok(()), "{}", version.name);
    });
}

/// If no wait was queued, a run kicks the iocb itself. 2.6.14 leaves that to the method.
#[test]
fn a_short_read_is_retried_by_the_versions_that_look() {
    everywhere(|version, looks| {
        let context = Kioctx::new(version);
        let short = Method {
            short: 3,
            ..RetryMethod::new(looks, &[])
        };
        let request = context.io_submit(short);
        let looked = version.look != RunnerLook::Never;
        assert_eq!(request.is_completed(), looked, "{}", version.name);
        let lost = vec![Violation::WakeupLost { iocb: 1 }];
        assert_eq!(context.check(), if looked { Ok(()) } else { Err(lost) });
    });
}

/// Nobody receives the `EAGAIN`: the request never ends.
#[test]
fn too_many_retries_were_the_end_until_2_6_14() {
    assert_eq!(Version::Y2005.retry_limit, Some(1 << 20));
    assert_eq!(Version::V2_6_14.retry_limit, None);
    let lost = vec![Violation::WakeupLost { iocb: 1 }];
    for (retry_limit, answer) in [(Some(100), Err(lost)), (None, Ok(()))] {
        let context = Kioctx::new(Version {
            retry_limit,
            ..Version::SUZUKI
        });
        let short = Method {
            short: 101,
            ..RetryMethod::new(Looks::Once, &[])
        };
        let request = context.io_submit(short);
        assert_eq!(request.is_completed(), answer.is_ok());
        assert_eq!(context.check(), answer);
    }
}

#[test]
fn a_request_that_somebody_else_completes_is_left_alone() {
    everywhere(|version, looks| {
        let context = Kioctx::new(version);
        let elsewhere = Method {
            end: End::Queued,
            ..RetryMethod::new(looks, &[])
        };
        let request = context.io_submit(elsewhere);
        assert!(!request.is_completed());
        assert_eq!(context.check(), Ok(()));
        assert_eq!(context.io_destroy(), Err(Errno::Busy));
        request.complete_elsewhere(7);
        assert_eq!(context.take_events(), [(1, 7)]);
        assert_eq!(context.check(), Ok(()), "{}", version.name);
        assert_eq!(context.io_destroy(), Ok(()));
    });
}

#[test]
fn a_cancelled_request_ends_with_eintr() {
    everywhere(|version, looks| {
        let context = Kioctx::new(version);
        let queues = queues(&context, 2);
        let request = context.io_submit(RetryMethod::new(looks, &queues));
        let cancelled = context.io_cancel(&request, || queues[0].wake_up());
        assert_eq!(cancelled, Ok(()));
        context.work();
        assert_eq!(context.take_events(), [(1, INTERRUPTED)]);
        assert_eq!(context.check(), Ok(()), "{}", version.name);
        let again = context.io_cancel(&request, || panic!("there is nothing to cancel"));
        assert_eq!(again, Err(Errno::Invalid));
    });
}

#[test]
fn a_context_with_a_request_under_way_is_not_destroyed() {
    everywhere(|version, looks| {
        let context = Kioctx::new(version);
        let queues = queues(&context, 1);
        let _request = context.io_submit(RetryMethod::new(looks, &queues));
        assert_eq!(context.io_destroy(), Err(Errno::Busy));
        queues[0].wake_up();
        context.work();
        assert_eq!(context.io_destroy(), Ok(()));
    });
}

#[test]
fn a_synchronous_request_sleeps_until_it_is_woken() {
    for looks in BOTH {
        let context = Kioctx::new(Version::SUZUKI);
        let queues = queues(&context, 1);
        let (done, finished) = mpsc::channel();
        let method = Method {
            end: End::Done(3),
            ..RetryMethod::new(looks, &queues)
        };
        let reading = Arc::clone(&context);
        thread::spawn(move || done.send(reading.do_sync(method)));
        let early = finished.recv_timeout(Duration::from_millis(20));
        assert_eq!(early, Err(mpsc::RecvTimeoutError::Timeout), "it sleeps");
        queues[0].wake_up();
        let result = finished.recv_timeout(Duration::from_secs(60));
        assert_eq!(result, Ok(3), "it was woken");
    }
}

/// Gives the processor away between two steps of a race, now and then.
fn now_and_then() {
    if fastrand::u8(..16) == 0 {
        thread::yield_now();
    }
}

/// Requests wait once or twice, one request after the other, while another thread wakes them.
fn submitted_and_woken(version: Version, looks: Looks) {
    const REQUESTS: usize = 1000;
    let (hand_over, handed_over) = mpsc::sync_channel::<Vec<Arc<WaitQueue>>>(0);
    let (done, woken) = mpsc::channel();
    let waker = thread::spawn(move || {
        for queues in handed_over {
            queues.iter().for_each(|queue| queue.wake_up());
            done.send(()).unwrap();
        }
    });
    for number in 0..REQUESTS {
        let context = Kioctx::with_pauses(version, now_and_then);
        let queues = queues(&context, 1 + number % 2);
        hand_over.send(queues.clone()).unwrap();
        let request = context.io_submit(RetryMethod::new(looks, &queues));
        woken
            .recv_timeout(Duration::from_secs(60))
            .expect("the waker ends");
        context.work();
        assert!(request.is_completed(), "{}: {number}", version.name);
        let mut wrong = context.check().err().unwrap_or_default();
        wrong.retain(|violation| *violation != Violation::SpuriousRetry);
        assert_eq!(wrong, [], "{}: {number}", version.name);
    }
    drop(hand_over);
    waker.join().unwrap();
}

#[test]
fn sound_versions_hold_while_they_are_woken() {
    for version in Version::ALL {
        if version.sound_for_one_look {
            submitted_and_woken(version, Looks::Once);
        }
        if version.sound_for_two_looks {
            submitted_and_woken(version, Looks::Twice);
        }
    }
}

#[test]
fn debug_of_a_request_tells_whether_it_is_completed() {
    let context = Kioctx::new(Version::SUZUKI);
    let queues = queues(&context, 1);
    let request = context.io_submit(RetryMethod::new(Looks::Once, &queues));
    let text = format!("{request:?}");
    assert_eq!(text, "Kiocb { number: 1, completed: false, .. }");
    assert!(format!("{context:?}").contains(&text), "it is under way");
    queues[0].wake_up();
    context.work();
    let text = format!("{request:?}");
    assert_eq!(text, "Kiocb { number: 1, completed: true, .. }");
}
