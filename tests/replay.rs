//! Public bugs of caches that are filled and invalidated at the same time, replayed step by step.
//!
//! Each story is told twice, with the same steps in the same order: by the code that people write,
//! which serves a value after its invalidation has completed, and by the same code fenced with this
//! crate, which does not. Nothing here waits for a clock or hopes for a coincidence.
#![cfg(not(loom))]

mod replay {
    mod slot;
    mod stage;

    mod fill_between_bump_and_commit;
    mod insert_racing_a_fetch;
    #[cfg(feature = "park")]
    mod load_handed_over_late;
    mod overlapping_invalidations;
    mod placeholder_of_a_load;
    #[cfg(feature = "park")]
    mod publish_around_try_get_with;
    mod reply_cached_after_its_invalidation;
    #[cfg(feature = "park")]
    mod role_resurrected_by_get_with;
    mod token_taken_after_the_load;
    #[cfg(feature = "park")]
    mod update_given_up;
    mod write_cycle_inside_the_load;
}
