//! The versions of the hook, and what else differs from kernel to kernel.

/// What `mremap` tells the context of a ring that it has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// Up to 3.18: nothing.
    NoHook,
    /// e4a0d3e720e7, merged for 3.19: the hook sets `user_id` and `mmap_base`, and answers nothing.
    Y2014,
    /// b2edffdd912b, of 2015: the hook answers, and refuses a context that is being destroyed.
    Y2015,
    /// 81e9d6f86476, of 2023: it also refuses a process that has no table of contexts.
    Y2023,
    /// 3adf7ae18bf4 and c03ce4173c7b, of 2026: it also refuses to move part of a ring, and `fork` no longer
    /// copies the ring.
    Y2026,
    /// This crate: no lock for both, but a stamp for the mover and a section for the destroyer. It holds, but so
    /// would `mmap_sem` alone: see [`Steps::base_is_read_in_mmap_sem`] and [`Steps::mover_commits`].
    Commit,
}

impl Version {
    /// All of them, oldest first.
    pub const ALL: [Self; 6] = [
        Self::NoHook,
        Self::Y2014,
        Self::Y2015,
        Self::Y2023,
        Self::Y2026,
        Self::Commit,
    ];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoHook => "no hook",
            Self::Y2014 => "2014",
            Self::Y2015 => "2015",
            Self::Y2023 => "2023",
            Self::Y2026 => "2026",
            Self::Commit => "Commit",
        }
    }

    /// Whether it holds when whole moves meet `io_destroy`.
    #[must_use]
    pub const fn holds(self) -> bool {
        !matches!(self, Self::NoHook | Self::Y2014)
    }

    /// What such a kernel does.
    ///
    /// Versions differ in the hook only. In everything else they are Linux 6.18.
    #[must_use]
    pub const fn rules(self) -> Rules {
        let latest = matches!(self, Self::Y2026);
        Rules {
            hook: match self {
                Self::NoHook => Hook::None,
                Self::Y2014 => Hook::Tells,
                Self::Y2015 => Hook::Answers {
                    asks_for_table: false,
                },
                Self::Y2023 | Self::Y2026 => Hook::Answers {
                    asks_for_table: true,
                },
                Self::Commit => Hook::Commits,
            },
            refuses_part: latest,
            fork_copies_ring: !latest,
            moves_several_areas: true,
            checks_same_size: false,
            refuses_before_unmapping: true,
            possible_cpus: 2,
            aio_max_nr: 65_536,
            steps: Steps::ALL,
        }
    }
}

/// What is called when the pages of a ring have been moved, and what `io_destroy` does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hook {
    /// Nothing is called.
    None,
    /// It sets `user_id` and `mmap_base`. `io_destroy` marks the context before it takes `ioctx_lock`, and
    /// a hook that no longer finds the context lets the move stand.
    Tells,
    /// As `Tells`, but a hook that does not find a live context refuses the move. `io_destroy` marks the
    /// context with `ioctx_lock` held.
    Answers {
        /// Whether it refuses a process without a table, or looks into one that is not there.
        asks_for_table: bool,
    },
    /// The move is the fault of this crate's [`RawSeqSchedLock`](seqschedlock::RawSeqSchedLock) and
    /// `io_destroy` the invalidate.
    Commits,
}

/// What a kernel does where kernels differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// What is called when a ring has moved.
    pub hook: Hook,
    /// The hook refuses a move of less than the whole ring. (Since 2026.)
    pub refuses_part: bool,
    /// `fork` copies the areas of rings. (Until 2026.)
    pub fork_copies_ring: bool,
    /// `mremap` to a fixed address with both lengths equal moves all areas in the range. (Since 6.17.)
    pub moves_several_areas: bool,
    /// `mremap` with both lengths equal and no fixed address checks that one area has that length. (Until 2025.)
    pub checks_same_size: bool,
    /// `mremap` refuses a bad source before it unmaps the target. (Since 2025.)
    pub refuses_before_unmapping: bool,
    /// Of the machine: a ring has room for at least four requests of each CPU.
    pub possible_cpus: u32,
    /// `fs.aio-max-nr`, for one process alone.
    pub aio_max_nr: u64,
    /// The steps that all kernels take.
    pub steps: Steps,
}

/// Steps that every kernel takes. Tests leave out one at a time, to show that something notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Steps {
    /// A lookup reads the index of the context from the first word at the id. Without: it searches the table.
    pub lookup_reads_first_word: bool,
    /// A lookup compares `user_id` with the id.
    pub lookup_compares_user_id: bool,
    /// A lookup takes a reference only if there still is one. Without: as kernels did until
    /// baf10564fbb6, of 2018.
    pub lookup_tries_to_get: bool,
    /// The hook sets `mmap_base` too, not `user_id` alone.
    pub hook_sets_mmap_base: bool,
    /// A ring that is moved in several areas has its id where the last one lies. Without: where the first
    /// one does.
    pub last_area_has_the_id: bool,
    /// Areas of a ring never merge again.
    pub ring_keeps_edges: bool,
    /// A fixed target is unmapped before the hook is asked. Without: only if it agrees.
    pub target_goes_first: bool,
    /// A new context takes the lowest index that is free. Without: one that was never used.
    pub lowest_index: bool,
    /// `io_destroy` unmaps what is mapped from `mmap_base` on, whatever it is. Without: only the ring.
    pub destroy_unmaps_by_size: bool,
    /// Of two destroyers only one finds that the context is not dead yet.
    pub dead_is_exchanged: bool,
    /// [`Hook::Commits`]: `io_destroy` reads `mmap_base` with `mmap_sem` held. Without: it can read a place that
    /// the mover takes back, and the ring is left. (Since 2015 the kernel may read it earlier, because its hook refuses by then.)
    pub base_is_read_in_mmap_sem: bool,
    /// [`Hook::Commits`]: the mover checks whether its stamp still holds. Without: every invariant still holds,
    /// as long as `base_is_read_in_mmap_sem`. All that is lost is that a ring stays where it is once its
    /// destruction has begun.
    pub mover_commits: bool,
}

impl Steps {
    /// What kernels do.
    pub const ALL: Self = Self {
        lookup_reads_first_word: true,
        lookup_compares_user_id: true,
        lookup_tries_to_get: true,
        hook_sets_mmap_base: true,
        last_area_has_the_id: true,
        ring_keeps_edges: true,
        target_goes_first: true,
        lowest_index: true,
        destroy_unmaps_by_size: true,
        dead_is_exchanged: true,
        base_is_read_in_mmap_sem: true,
        mover_commits: true,
    };
}
