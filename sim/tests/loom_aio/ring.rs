//! The versions of the ring that the kernel had, and their twins.

use seqschedlock_sim::aio::ring::Version;

use crate::collect::{finds, holds};
use crate::ring_programs::{
    complete_and_migrate, complete_and_read, faulting_read_and_move_pages, lookup_and_migrate,
    read_and_migrate, read_complete_and_migrate, setup_and_migrate, teardown_and_migrate,
};

/// Truncation does not wait for the page lock, and so meets migrations under way.
const fn without_page_lock(version: Version) -> Version {
    Version {
        page_lock: false,
        ..version
    }
}

const WITHOUT_COMPLETION_LOCK: Version = Version {
    completion_lock: false,
    ..Version::MERGED
};
const WITHOUT_READ_BARRIER: Version = Version {
    read_barrier: false,
    ..Version::MERGED
};
const WITHOUT_WRITE_BARRIER: Version = Version {
    write_barrier: false,
    ..Version::MERGED
};

// The reader looks up page 0 and then writes the head there; in between the migration copies the old head.
// Or the reader looks up the page of an event, and the migration frees it before the event is read.
finds! { read_and_migrate:
    y2013_loses_the_head: Version::Y2013 => "the head that was written last is lost";
    y2013_reads_from_a_freed_page: Version::Y2013 => "a freed page is touched";
}
holds! { read_and_migrate:
    v1_read_holds: Version::V1;
    v2_read_holds: Version::V2;
    seed_read_holds: Version::SEED;
    tryget_read_holds: Version::SEED_TRYGET;
    merged_read_holds: Version::MERGED;
    merged_read_holds_in_every_interleaving: Version::MERGED, None;
}

holds! { complete_and_migrate:
    y2013_completion_holds: Version::Y2013;
    v1_completion_holds: Version::V1;
    v2_completion_holds: Version::V2;
    seed_completion_holds: Version::SEED;
    tryget_completion_holds: Version::SEED_TRYGET;
    merged_completion_holds: Version::MERGED;
}
finds! { complete_and_migrate:
    without_completion_lock_an_event_is_lost: WITHOUT_COMPLETION_LOCK => "an event is lost";
    without_completion_lock_the_tail_is_lost: WITHOUT_COMPLETION_LOCK
        => "the tail that was written last is lost";
    without_completion_lock_a_freed_page_is_written: WITHOUT_COMPLETION_LOCK
        => "a freed page is touched";
}

// Setup looks up page 0 and then writes the id there; in between the migration copies the old id. All
// lookups fail from then on.
finds! { setup_and_migrate:
    y2013_loses_the_id: Version::Y2013 => "the id is lost";
    y2013_sets_up_a_freed_page: Version::Y2013 => "a freed page is touched";
    v1_loses_the_id: Version::V1 => "the id is lost";
}
holds! { setup_and_migrate:
    v2_setup_holds: Version::V2;
    seed_setup_holds: Version::SEED;
    tryget_setup_holds: Version::SEED_TRYGET;
    merged_setup_holds: Version::MERGED;
}

// 2013: the teardown looks up the page, the migration switches to the new one and puts the old one, and
// the teardown puts it again. Or the teardown takes the page away between the two looks of the migration.
//
// v2 and seed: the last user is gone and the context is being freed. The migration adds a user, and becomes
// the last user for the second time.
finds! { teardown_and_migrate:
    y2013_puts_a_page_twice: Version::Y2013 => "a page is put that nobody holds";
    y2013_fails_after_the_move: Version::Y2013 => "a migration fails after it has moved the page";
    v2_puts_a_context_twice: Version::V2 => "the last reference to a context is put twice";
    v2_fails_after_the_move: Version::V2 => "a migration fails after it has moved the page";
    v1_puts_a_page_twice: Version::V1 => "a page is put that nobody holds";
    seed_puts_a_context_twice: Version::SEED => "the last reference to a context is put twice";

    v2_would_put_a_context_twice_without_page_lock: without_page_lock(Version::V2)
        => "the last reference to a context is put twice";
    v2_would_use_a_freed_context_without_page_lock: without_page_lock(Version::V2)
        => "a freed context is touched";
    v2_would_unlock_through_null_without_page_lock: without_page_lock(Version::V2)
        => "ring_lock is unlocked through NULL";
    seed_would_put_a_context_twice_without_page_lock: without_page_lock(Version::SEED)
        => "the last reference to a context is put twice";
    seed_would_use_a_freed_context_without_page_lock: without_page_lock(Version::SEED)
        => "a freed context is touched";
    seed_would_unlock_through_null_without_page_lock: without_page_lock(Version::SEED)
        => "ring_lock is unlocked through NULL";
}
holds! { teardown_and_migrate:
    tryget_teardown_holds: Version::SEED_TRYGET;
    tryget_teardown_holds_without_page_lock: without_page_lock(Version::SEED_TRYGET);
    merged_teardown_holds: Version::MERGED;
    merged_teardown_holds_without_page_lock: without_page_lock(Version::MERGED);
    merged_teardown_holds_with_five_preemptions: Version::MERGED, Some(5);
}

// The reader holds ring_lock, faults and waits for mmap_sem; the migration holds mmap_sem and waits for
// ring_lock.
finds! { faulting_read_and_move_pages:
    y2013_loses_the_head_in_a_fault: Version::Y2013 => "the head that was written last is lost";
    v1_deadlocks: Version::V1 => "threads wait for one another";
    v1_takes_its_locks_in_a_circle: Version::V1
        => "the lock order has a circle: mmap_sem -> ring_lock -> mmap_sem";
}
holds! { faulting_read_and_move_pages:
    v2_fault_holds: Version::V2;
    seed_fault_holds: Version::SEED;
    tryget_fault_holds: Version::SEED_TRYGET;
    merged_fault_holds: Version::MERGED;
}

holds! { lookup_and_migrate:
    y2013_lookup_holds: Version::Y2013;
    merged_lookup_holds: Version::MERGED;
}

finds! { read_complete_and_migrate:
    y2013_loses_the_head_beside_a_completion: Version::Y2013
        => "the head that was written last is lost", Some(2);
    without_completion_lock_an_event_is_lost_beside_a_reader: WITHOUT_COMPLETION_LOCK
        => "an event is lost", Some(2);
}
holds! { read_complete_and_migrate:
    seed_with_tryget_holds_for_three: Version::SEED_TRYGET, Some(2);
    merged_holds_for_three: Version::MERGED, Some(2);
}

holds! { complete_and_read:
    merged_event_is_written_before_it_is_read: Version::MERGED;
}
finds! { complete_and_read:
    without_read_barrier_an_event_is_read_too_early: WITHOUT_READ_BARRIER
        => "an event is read before it is written";
    without_write_barrier_an_event_is_read_too_early: WITHOUT_WRITE_BARRIER
        => "an event is read before it is written";
}
