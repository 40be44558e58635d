//! The AIO systems, model-checked: each race of their history is found, and each version that is meant to
//! hold does.
//!
//! `cargo loom` runs it, after the models of the lock itself. Only the version `Commit` of the ring is built
//! on the lock; `cargo loom-split` runs that and nothing else, since no other model has a word in it.
//!
//! A ring has one page of three events. Bounds are 3 preemptions, unless a model says otherwise. A model
//! reports all that goes wrong in any execution, not just the first: one race would hide the others.
//!
//! What is found in the ring (`ring.rs`, `commit.rs`):
//!
//! | | 2013 | v1 | v2 | seed | seed + tryget | merged | Commit |
//! |---|---|---|---|---|---|---|---|
//! | read, migrate | head lost, freed page | holds | holds | holds | holds | holds, unbounded | holds |
//! | complete, migrate | holds | holds | holds | holds | holds | holds | holds |
//! | setup, migrate | id lost, freed page | id lost | holds | holds | holds | holds | holds |
//! | teardown, migrate | page put twice, fails after the move | page put twice | context put twice, fails after the move | context put twice | holds | holds, 5 preemptions | holds |
//! | read that faults, `move_pages` | head lost | deadlock | holds | holds | holds | holds | holds |
//! | read, complete, migrate (2 preemptions) | head lost | | | | holds | holds | holds |
//!
//! Truncation waits for the page lock, as `truncate_inode_pages_range` does in its second pass. If it did not,
//! teardown under v2 and under the seed's version would also free a context that the migration goes on to use
//! and unlocks through NULL. Twins without the page lock show that.
//!
//! What is found in retries (`retry.rs`), with a submitter that drains the run list and a waker:
//!
//! | | one wait, one look | two waits, one look | one wait, two looks | two waits, two looks |
//! |---|---|---|---|---|
//! | 2005 | freed iocb | freed iocb, kicked and retried while a wait is queued | freed iocb | kicked while a wait is queued |
//! | only the kick | freed iocb | freed iocb, kicked while a wait is queued | freed iocb | kicked while a wait is queued |
//! | only the deletion | retried while a wait is queued | the same | retried for nothing | the same |
//! | Suzuki | holds | holds, unbounded | holds | retried for nothing |
//! | 2.6.14 | holds | holds | freed iocb | freed iocb, kicked while a wait is queued, retried for nothing |
#![cfg(loom)]

#[path = "loom_aio/collect.rs"]
mod collect;
#[path = "loom_aio/commit.rs"]
mod commit;
#[path = "loom_aio/counted.rs"]
mod counted;
#[path = "../../tests/loom/explore.rs"]
mod explore;
#[cfg(not(seqschedlock_split))]
#[path = "loom_aio/retry.rs"]
mod retry;
#[cfg(not(seqschedlock_split))]
#[path = "loom_aio/ring.rs"]
mod ring;
#[path = "loom_aio/ring_programs.rs"]
mod ring_programs;
