//! The versions: what each of them did where they differ.

/// A version of the ring code, described by the choices it made.
///
/// The named versions are those of the kernel, and one built on `seqschedlock`. Models also use twins: a
/// version with one choice changed, which has to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its name in tables.
    pub name: &'static str,
    /// Whether it is meant to hold.
    pub sound: bool,
    /// What setup holds while it builds the ring.
    pub setup: Setup,
    /// What keeps a reader and a migration apart.
    pub read: Read,
    /// What keeps a migration apart from everything else.
    pub migrate: Migrate,
    /// In which order a context is taken apart.
    pub teardown: Teardown,
    /// A setup that fails unmaps the ring area again. The kernel has done so since 2015.
    pub failure_unmaps: bool,
    /// A setup that fails before there is a ring unlocks `ring_lock`. The third draft of the patch forgot
    /// to.
    pub failure_unlocks: bool,
    /// A migration copies the page, and switches to the copy, within `completion_lock`.
    pub completion_lock: bool,
    /// Truncation waits for the page lock before it removes a page from the cache.
    ///
    /// All named versions do, because the kernel is written that way: `truncate_inode_pages_range` only tries
    /// the locks in its first pass, but waits for them in its second; teardown has called it since rings have
    /// files (3.12); and a migration holds the locks of both pages until it is done with the ring. So a
    /// teardown that has come to the cache cannot get past a migration. A version without this is a twin: its
    /// teardown meets migrations that it cannot meet in a kernel.
    pub page_lock: bool,
    /// A reader loads events after the tail: `smp_rmb`. The kernel lacked it until 3.17.
    pub read_barrier: bool,
    /// A completion stores the tail after the event: `smp_wmb`.
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

/// What keeps a reader and a migration apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// The reader holds `ring_lock`. That keeps out migrations that take it, too.
    RingLock,
    /// The reader validates what it has read, and the head after it has written it.
    Validated {
        /// Whether it validates the head. Without this it is a twin.
        head: bool,
    },
}

/// What keeps a migration apart from everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrate {
    /// Nothing: it looks, moves the mapping, and looks again.
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

/// In which order a context is taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teardown {
    /// First its pages, then the file that leads to it.
    PagesFirst,
    /// The same, with the pages put within `completion_lock`.
    PagesFirstLocked,
    /// First the file, so that no migration finds the context any more, then the pages.
    FileFirst,
}

impl Version {
    /// The first page migration, of 2013 (8e321fefb0e6).
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

    /// The first draft, of 21 March 2014: migrations wait for `ring_lock`.
    pub const V1: Self = Self {
        name: "v1",
        migrate: Migrate::WaitsForRingLock,
        ..Self::Y2013
    };

    /// Benjamin LaHaise's second draft, of 27 March 2014.
    pub const V2: Self = Self {
        name: "v2",
        setup: Setup::InHalves,
        migrate: Migrate::TriesRingLock(GetContext::Always),
        teardown: Teardown::PagesFirstLocked,
        ..Self::Y2013
    };

    /// The patch in the seed, by Linus Torvalds and of the same day; he called it totally untested.
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

    /// What was merged (fa8a53c39f3f), plus what 2015 added: a setup that fails unmaps its area.
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
    /// meanwhile, so the reader needs a reference to it. That reference makes a migration answer `EAGAIN`,
    /// which is exactly what trying `ring_lock` does. Readers and migrations would stop disturbing each
    /// other only if lifetimes were not reference counts (RCU).
    ///
    /// Completions still need `completion_lock`: they cannot wait for a section to end, and their store
    /// must not be lost. Teardown still needs a `tryget`: writers do not wait for readers, so this lock
    /// cannot keep a context alive.
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
