use seqschedlock_sim::aio::remap::Changed;
use seqschedlock_sim::aio::{Errno, LockClass, remap, retry, ring};

use crate::each_tells;

#[test]
fn an_error_of_a_system_call_names_its_code() {
    let codes = [
        (Errno::Again, "EAGAIN"),
        (Errno::Busy, "EBUSY"),
        (Errno::Deadlock, "EDEADLK"),
        (Errno::Exists, "EEXIST"),
        (Errno::Fault, "EFAULT"),
        (Errno::InProgress, "EINPROGRESS"),
        (Errno::Interrupted, "EINTR"),
        (Errno::Invalid, "EINVAL"),
        (Errno::NoMemory, "ENOMEM"),
    ];
    for (errno, code) in codes {
        assert_eq!(errno.name(), code);
        assert!(
            errno.to_string().ends_with(&format!(" ({code})")),
            "{errno}"
        );
    }
    each_tells(codes);
}

#[test]
fn a_lock_has_its_name_in_the_kernel() {
    each_tells([
        (LockClass::MmapSem, "mmap_sem"),
        (LockClass::PageLock, "page lock"),
        (LockClass::RingLock, "ring_lock"),
        (LockClass::PrivateLock, "private_lock"),
        (LockClass::CompletionLock, "completion_lock"),
        (LockClass::IoctxLock, "ioctx_lock"),
        (LockClass::QueueLock, "queue lock"),
        (LockClass::CtxLock, "ctx_lock"),
    ]);
}

const CIRCLE: [LockClass; 2] = [LockClass::QueueLock, LockClass::CtxLock];

#[test]
fn a_violation_of_a_retry_tells_its_numbers() {
    use retry::Violation;
    each_tells([
        (Violation::FreedIocbTouched, "iocb"),
        (Violation::FreedContextTouched, "context"),
        (Violation::KickedWhileWaiting, "kicked"),
        (Violation::RetryWhileWaiting, "retry"),
        (Violation::SpuriousRetry, "retry"),
        (Violation::TwoRetries, "retries"),
        (Violation::QueuedTwice, "run list"),
        (Violation::CompletedTwice, "iocb"),
        (Violation::CompletedWhileWaiting, "iocb"),
        (Violation::WakeupLost { iocb: 17 }, "17"),
        (
            Violation::Users {
                iocb: 17,
                users: 23,
            },
            "17 23",
        ),
        (Violation::QueuedWithoutWork, "run list"),
        (Violation::IocbsAlive { iocbs: 17 }, "17"),
        (
            Violation::LockCircle(CIRCLE.to_vec()),
            "queue lock -> ctx_lock",
        ),
        (
            Violation::LockLeft {
                class: LockClass::CtxLock,
            },
            "ctx_lock",
        ),
    ]);
}

#[test]
fn a_violation_of_a_ring_tells_its_numbers() {
    use ring::Violation;
    let index = 17;
    each_tells([
        (Violation::FreedPageTouched, "page"),
        (Violation::FreedContextTouched, "context"),
        (Violation::PagePutTwice, "page"),
        (Violation::ContextPutTwice, "context"),
        (Violation::UnlockedThroughNull, "NULL"),
        (Violation::FailedAfterMove, "migration"),
        (Violation::NoPage, "page"),
        (Violation::HeadLost, "head"),
        (Violation::TailLost, "tail"),
        (Violation::EventLost, "event"),
        (Violation::EventDoubled, "event"),
        (Violation::EventUnwritten, "event"),
        (Violation::Deadlock, ""),
        (
            Violation::LockCircle(CIRCLE.to_vec()),
            "queue lock -> ctx_lock",
        ),
        (
            Violation::LockLeft {
                class: LockClass::RingLock,
            },
            "ring_lock",
        ),
        (
            Violation::IdLost {
                id: 17,
                expected: 23,
            },
            "17 23",
        ),
        (Violation::OtherPage { index }, "17 context"),
        (Violation::OtherPte { index }, "17"),
        (
            Violation::References {
                index,
                references: 23,
            },
            "17 23",
        ),
        (Violation::NoMapping { index }, "17 mapping"),
        (
            Violation::PrivateData {
                files: 17,
                contexts: 23,
            },
            "17 23",
        ),
        (Violation::PagesAlive { pages: 17 }, "17 pages"),
        (Violation::ContextsAlive { contexts: 17 }, "17 contexts"),
        (Violation::Users { users: 17 }, "17 users"),
        (Violation::AreasLeft { areas: 17 }, "17 areas"),
    ]);
}

#[test]
fn a_violation_of_a_ring_that_moves_names_the_ring_and_its_place() {
    use remap::Violation;
    let (ring, at) = (17, 0x2300_0000);
    let changed = |what| Violation::Changed { what };
    let user_id = Violation::UserId {
        ring,
        user_id: 0x4200_0000,
        at,
    };
    let mmap_base = Violation::MmapBase {
        ring,
        mmap_base: 0x4200_0000,
        at,
    };
    let areas = Violation::Areas { ring, areas: 3, at };
    let old_id = Violation::OldIdAnswers { ring, id: at };
    let users = Violation::Users { ring, users: 23 };
    each_tells([
        (user_id, "17 0x23000000 user_id 0x42000000"),
        (mmap_base, "17 0x23000000 mmap_base 0x42000000"),
        (areas, "17 0x23000000 3"),
        (Violation::RingLeft { ring, at }, "17 0x23000000"),
        (Violation::InnocentUnmapped { pages: 17 }, "17"),
        (Violation::NewIdUnknown { ring, at }, "17 0x23000000"),
        (old_id, "17 0x23000000"),
        (Violation::DeadInTable { ring }, "17 table"),
        (Violation::NotInTable { ring }, "17 table"),
        (users, "17 23 users"),
        (Violation::Leaked { contexts: 17 }, "17"),
        (Violation::FreedContextTouched { times: 17 }, "17"),
        (Violation::LeftoverTouched { times: 17 }, "17"),
        (Violation::NullTable { times: 17 }, "17 table"),
        (changed(Changed::Page { at }), "0x23000000"),
        (changed(Changed::Context { ring }), "17"),
    ]);
}
