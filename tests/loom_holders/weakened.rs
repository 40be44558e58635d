//! The weakened twins of the cell's word, and of what awaited readers rely on.
//!
//! One is missing: awaiting without a request deadlocks `awaited::one_writer_wakes_one_reader`, as it
//! should, but a deadlock unwinds, a listener in the queue cannot be dropped then, and the process
//! aborts. `tests/loom/weakened.rs` has the same for a reader that blocks.

use core::sync::atomic::Ordering::AcqRel;

use seqschedlock::model::{PROVEN, Protocol, with_protocol};

use crate::awaited;

#[test]
#[should_panic(expected = "publication was missed")]
fn an_awaited_commit_with_a_weaker_fence() {
    let weaker = Protocol {
        commit_fence: AcqRel,
        ..PROVEN
    };
    with_protocol(
        weaker,
        awaited::an_awaited_publication_is_seen_or_taken_back,
    );
}

#[cfg(feature = "cell")]
mod cell_word {
    use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

    use seqschedlock::model::cell::{PROVEN, Protocol, with_protocol};

    use crate::dies::dies;
    use crate::{cell, cell_turns};

    dies! {
        begin_that_acquires_nothing: begin = Relaxed =>
            cell::a_store_is_not_torn, "torn value";
        end_without_its_fence: end_fence = Relaxed =>
            cell::a_store_is_not_torn, "torn value";
        turn_that_acquires_nothing: turn = Relaxed =>
            cell_turns::no_update_is_lost, "update is lost";
        turn_taken_from_another: takes_turns = false =>
            cell_turns::no_update_is_lost, "update is lost";
        copy_without_its_fence: copy_fence = Relaxed =>
            cell::a_store_is_not_torn, "torn value";
        copy_back_without_its_fence: copy_fence = Relaxed =>
            cell::a_copy_back_is_not_torn, "torn value";
        leave_that_releases_nothing: leave = Acquire =>
            cell::a_store_that_expects_requests_is_not_torn, "torn value";
        leave_that_releases_nothing_to_the_next_writer: leave = Acquire =>
            cell_turns::no_update_is_lost_where_requests_are_expected, "update is lost";
        leave_that_acquires_nothing: leave = Release =>
            cell_turns::a_waker_sees_what_the_next_writer_did_before_it_asked, "Causality violation";
        leave_unasked_that_releases_nothing: leave_unasked = Relaxed =>
            cell::a_store_is_not_torn, "torn value";
        request_that_releases_nothing: request = Relaxed =>
            cell_turns::a_waker_sees_what_its_reader_did_before_it_asked, "Causality violation";
        blocking_for_a_turn_without_a_request: asks_before_blocking = false =>
            cell_turns::a_turn_wakes_a_queue_of_ones_own, "deadlock";
        whole_load_that_acquires_nothing: load_whole = Relaxed =>
            cell::a_value_that_is_loaded_whole_comes_with_its_past, "without its past";
        whole_store_that_releases_nothing: store_whole = Relaxed =>
            cell::a_value_that_is_loaded_whole_comes_with_its_past, "without its past";
        blocking_for_a_copy_without_a_request: asks_before_blocking = false =>
            cell_turns::a_copy_wakes_a_queue_of_ones_own, "deadlock";
    }

    #[cfg(feature = "park")]
    dies! {
        turn_that_is_not_asked_on: passes_the_request_on = false =>
            cell_turns::two_writers_in_line_both_get_their_turn, "deadlock";
    }

    #[cfg(seqschedlock_split)]
    dies! {
        begin_that_acquires_no_cycles: begin_cycles = Relaxed =>
            cell::two_stores_in_a_row_are_not_torn, "torn value";
        end_that_acquires_no_state: end = Relaxed =>
            cell::two_stores_in_a_row_are_not_torn, "torn value";
        cycles_that_are_not_counted: counts_cycles = false =>
            cell::two_stores_in_a_row_are_not_torn, "torn value";
    }

    /// What a writer did before it stored is carried twice: by `leave` to `begin`, and by `copy_fence`
    /// to `end_fence`.
    #[test]
    #[should_panic(expected = "without its past")]
    fn reader_that_acquires_nothing() {
        let neither = Protocol {
            begin: Relaxed,
            end_fence: Relaxed,
            ..PROVEN
        };
        with_protocol(
            neither,
            cell::a_reader_sees_what_the_writer_did_before_it_stored,
        );
    }
}
