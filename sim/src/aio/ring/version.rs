//! The versions: what each of them did where they differ.

/// A version of the ring code, as the choices that it made.
///
/// The named ones are the versions of the kernel, and this crate's. Models weaken them: a version with
/// one choice changed is a twin that has to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// What tables call it.
    pub name: &'static str,
    /// Whether it is meant to hold.
    pub sound: bool,
    /// What setup holds while it builds the ring.
    pub setup: Setup,
    /// How a reader meets a migration.
    pub read: Read,
    /// How a migration meets everybody else.
    pub migrate: Migrate,
    /// What a context lets go of first when it is freed.
    pub teardown: Teardown,
    /// A setup that fails unmaps the ring area again. The kernel does so since 2015.
    pub failure_unmaps: bool,
    /// A setup that fails before there is a ring unlocks `ring_lock`. The third draft of the merged patch
    /// forgot to.
    pub failure_unlocks: bool,
    /// A migration copies the page and switches to it within `completion_lock`.
    pub completion_lock: bool,
    /// Truncation waits for the lock of a page before it takes the page out of the cache. It always
    /// has; without, it meets migrations that it cannot meet in a kernel.
    pub page_lock: bool,
    /// A reader reads the events after the tail: `smp_rmb`. Missing in the kernel until 3.17.
    pub read_barrier: bool,
    /// A completion writes the tail after the event: `smp_wmb`.
    pub write_barrier: bool,
}

/// What setup holds while it builds the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// Nothing.
    Unlocked,
    /// `ring_lock` until the header is written, and `completion_lock` for the id.
    InHalves,
    /// `ring_lock` from the first step to the last.
    Locked,
    /// Nothing, but the file learns last that it has a context. Until then migrations are refused.
    FileLast,
}

/// How a reader meets a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// It holds `ring_lock`, which keeps out a migration that takes it.
    RingLock,
    /// It validates what it has read, and the head that it has written.
    Validated {
        /// Without the second validation it is a twin.
        head: bool,
    },
}

/// How a migration meets everybody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrate {
    /// It looks, moves the mapping, and looks again.
    LooksTwice,
    /// The same, after it has waited for `ring_lock`.
    WaitsForRingLock,
    /// The same, with a reference to the context and with `ring_lock` if that is free.
    TriesRingLock(GetContext),
    /// `private_lock` from the first look to the end, and `ring_lock` if that is free.
    HoldsPrivateLock,
    /// A write section of this crate's lock, with a reference to the context.
    Section,
}

/// How a migration gets a reference to a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GetContext {
    /// It counts one more user: `percpu_ref_get`.
    Always,
    /// Only if there is one already: `percpu_ref_tryget`.
    UnlessZero,
}

/// What a context lets go of first when it is freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teardown {
    /// Its pages, then the file that leads to it.
    PagesFirst,
    /// As before, the pages within `completion_lock`.
    PagesFirstLocked,
    /// The file, so that no migration finds the context any more; then the pages.
    FileFirst,
}

impl Version {
    /// Page migration as it came, in 2013 (8e321fefb0e6).
    pub const Y2013: Self = Self {
        name: "2013",
        sound: false,
        setup: Setup::Unlocked,
        read: Read::RingLock,
        migrate: Migrate::LooksTwice,
        teardown: Teardown::PagesFirst,
        failure_unmaps: false,
        failure_unlocks: true,
        completion_lock: true,
        page_lock: true,
        read_barrier: true,
        write_barrier: true,
    };

    /// The first attempt, of 21 March 2014: migrations wait for `ring_lock`.
    pub const V1: Self = Self {
        name: "v1",
        migrate: Migrate::WaitsForRingLock,
        ..Self::Y2013
    };

    /// Benjamin LaHaise's second, of 27 March 2014.
    pub const V2: Self = Self {
        name: "v2",
        setup: Setup::InHalves,
        migrate: Migrate::TriesRingLock(GetContext::Always),
        teardown: Teardown::PagesFirstLocked,
        ..Self::Y2013
    };

    /// The patch in the seed, Linus Torvalds's of the same day: "totally untested".
    pub const SEED: Self = Self {
        name: "seed",
        setup: Setup::Locked,
        teardown: Teardown::FileFirst,
        ..Self::V2
    };

    /// The same, with a `tryget`.
    pub const SEED_TRYGET: Self = Self {
        name: "seed + tryget",
        sound: true,
        migrate: Migrate::TriesRingLock(GetContext::UnlessZero),
        ..Self::SEED
    };

    /// What was merged (fa8a53c39f3f), with the `munmap` of 2015 for a setup that fails.
    pub const MERGED: Self = Self {
        name: "merged",
        sound: true,
        setup: Setup::Locked,
        migrate: Migrate::HoldsPrivateLock,
        teardown: Teardown::FileFirst,
        failure_unmaps: true,
        ..Self::Y2013
    };

    /// `seqschedlock`: readers validate, migrations are write sections.
    ///
    /// It is correct, and not worth it. The page that a reader stores the head to must not be freed
    /// meanwhile, so the reader needs a reference to it, and that reference makes the migration answer
    /// `EAGAIN`, which is just what trying `ring_lock` does. Readers and migrations would leave each
    /// other alone only if lifetimes were not counted in references (RCU).
    ///
    /// It stays with `completion_lock`, since a completion cannot wait for a section to end and its
    /// store must not be lost. And it stays with a `tryget` for teardown: writers do not wait for
    /// readers, so whether a context is still there is no question for this lock.
    pub const COMMIT: Self = Self {
        name: "Commit",
        sound: true,
        setup: Setup::FileLast,
        read: Read::Validated { head: true },
        migrate: Migrate::Section,
        ..Self::MERGED
    };

    /// All of them, oldest first.
    pub const ALL: [Self; 7] = [
        Self::Y2013,
        Self::V1,
        Self::V2,
        Self::SEED,
        Self::SEED_TRYGET,
        Self::MERGED,
        Self::COMMIT,
    ];
}
