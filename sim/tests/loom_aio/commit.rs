//! The version of the ring that is built on the lock of this project, with both words.

use seqschedlock_sim::aio::ring::{Read, Version};

use crate::collect::{finds, holds};
use crate::ring_programs::{
    complete_and_migrate, complete_and_read, faulting_read_and_move_pages, lookup_and_migrate,
    read_and_migrate, read_complete_and_migrate, setup_and_migrate, teardown_and_migrate,
};

/// A reader writes the head and does not check whether a migration was under way.
const WITHOUT_VALIDATION_OF_THE_HEAD: Version = Version {
    read: Read::Validated { head: false },
    ..Version::COMMIT
};

/// The split word takes more loads for every look, and so more executions. One preemption less keeps its
/// models within seconds, and still finds the twin.
const LESS: usize = if cfg!(seqschedlock_split) { 1 } else { 0 };
const TWO_THREADS: Option<usize> = Some(3 - LESS);
const THREE_THREADS: Option<usize> = Some(2 - LESS);

holds! { read_and_migrate:
    commit_read_holds: Version::COMMIT, TWO_THREADS;
}
finds! { read_and_migrate:
    without_validation_the_head_is_lost: WITHOUT_VALIDATION_OF_THE_HEAD
        => "the head that was written last is lost", Some(2);
}
holds! { complete_and_migrate:
    commit_completion_holds: Version::COMMIT;
}
holds! { setup_and_migrate:
    commit_setup_holds: Version::COMMIT;
}
holds! { lookup_and_migrate:
    commit_lookup_holds: Version::COMMIT;
}
holds! { teardown_and_migrate:
    commit_teardown_holds: Version::COMMIT;
}
holds! { faulting_read_and_move_pages:
    commit_fault_holds: Version::COMMIT, TWO_THREADS;
}
holds! { read_complete_and_migrate:
    commit_holds_for_three: Version::COMMIT, THREE_THREADS;
}
holds! { complete_and_read:
    commit_event_is_written_before_it_is_read: Version::COMMIT;
}
