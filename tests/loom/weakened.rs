//! The weakened twins: each protocol that is weaker by one step is caught by a model.
//!
//! This is the table of what each ordering is for.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use seqschedlock::model::{PROVEN, Protocol, with_protocol};

use crate::dies::dies;
use crate::{fenced, observe, park, publish};

// What both words have.
dies! {
    begin_that_acquires_nothing: begin = Relaxed =>
        observe::a_validated_look_is_not_torn_by_a_writer, "torn look";
    end_without_its_fence: end_fence = Relaxed =>
        observe::a_validated_look_is_not_torn_by_a_writer, "torn look";
    commit_with_a_weaker_fence: commit_fence = AcqRel =>
        publish::a_writer_sees_what_was_committed, "publication was missed";
    enter_with_a_weaker_fence: enter_fence = AcqRel =>
        publish::a_writer_sees_what_was_committed, "publication was missed";
    commit_with_a_weaker_fence_after_a_removal: commit_fence = AcqRel =>
        publish::what_is_removed_before_the_source_changes_does_not_come_back, "publication was missed";
    enter_with_a_weaker_fence_before_a_removal: enter_fence = AcqRel =>
        publish::what_is_removed_before_the_source_changes_does_not_come_back, "publication was missed";
    hit_with_a_weaker_fence: commit_fence = AcqRel =>
        fenced::a_hit_is_new_where_the_cache_orders_nothing, "a hit is stale";
    // That is `read_end`.
    hit_that_only_ends: commit_fence = Acquire =>
        fenced::a_hit_is_new_where_the_cache_orders_nothing, "a hit is stale";
    hit_of_another_that_only_ends: commit_fence = Acquire =>
        fenced::a_hit_is_new_whoever_validates_where_the_cache_orders_nothing, "a hit is stale";
    hit_of_the_loader_that_only_ends: commit_fence = Acquire =>
        fenced::a_hit_is_new_where_the_loader_validates_what_it_inserted, "a hit is stale";
    enter_with_a_weaker_fence_before_a_hit: enter_fence = AcqRel =>
        fenced::a_hit_is_new_where_the_cache_orders_nothing, "a hit is stale";
    enter_without_a_fence: enter_fence = Relaxed =>
        observe::a_validated_look_is_not_torn_by_a_writer, "torn look";
    request_that_releases_nothing: request = Relaxed =>
        park::a_waker_sees_what_its_reader_did_before_it_asked, "Causality violation";
    answer_that_acquires_nothing: clear = Relaxed =>
        park::a_waker_sees_what_its_reader_did_before_it_asked, "Causality violation";
    waking_before_the_request_is_cleared: clears_before_waking = false =>
        park::two_writers_wake_a_queue_of_ones_own, "deadlock";
    blocking_without_a_request: asks_before_blocking = false =>
        park::one_writer_wakes_a_queue_of_ones_own, "deadlock";
}

#[cfg(not(seqschedlock_split))]
dies! {
    exit_that_releases_nothing: exit = Relaxed =>
        observe::a_validated_look_is_not_torn_by_a_writer, "torn look";
}

#[cfg(seqschedlock_split)]
dies! {
    begin_that_acquires_no_writers: begin_writers = Relaxed =>
        observe::a_reader_that_begins_after_a_section_sees_what_it_wrote, "is not seen";
    end_that_acquires_no_writers: end_writers = Relaxed =>
        observe::a_validated_look_is_not_torn_by_a_writer, "torn look";
    end_that_reads_the_sequence_first: ends_with_sequence = false =>
        observe::a_validated_look_is_not_torn_by_a_writer, "torn look";
    exit_that_releases_no_sequence: exit_sequence = Relaxed =>
        observe::a_validated_look_is_not_torn_by_a_writer, "torn look";
    exit_that_releases_no_writers: exit_writers = Relaxed =>
        observe::a_validated_look_is_not_torn_by_a_writer, "torn look";
}
