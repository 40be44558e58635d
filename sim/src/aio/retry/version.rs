//! The versions: what each of them did where they differ.

/// A version of the retry code, described by the choices it made.
///
/// The named versions are those of the kernel and of the mailing list. Models also use twins: a version
/// with one choice changed, which has to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its name in tables.
    pub name: &'static str,
    /// Whether it holds for methods that look once.
    pub sound_for_one_look: bool,
    /// Whether it holds for methods that look twice. They may be retried for nothing.
    pub sound_for_two_looks: bool,
    /// A waker deletes the wait entry within `ctx_lock`.
    pub deletes_inside: bool,
    /// A waker sets `KICKED` within `ctx_lock`, in one section with the queueing.
    pub kicks_inside: bool,
    /// Where a run that got `EIOCBRETRY` checks whether a wait was queued at all.
    pub look: RunnerLook,
    /// A run that has ended checks whether a waker came meanwhile. Without this it is a twin.
    pub asks_kicked: bool,
    /// An iocb cannot be queued while it runs. Without this it is a twin.
    pub shut_out: bool,
    /// A waker starts the work within `ctx_lock`. No version does; it would make sure that the context is
    /// still there.
    pub starts_work_inside: bool,
    /// The waker of a synchronous iocb looks up the task before it sets `KICKED`, after which the iocb may be
    /// gone. No version does.
    pub reads_task_first: bool,
    /// After so many retries a run answers `EAGAIN` and forgets the iocb.
    pub retry_limit: Option<u32>,
}

/// Where a run that got `EIOCBRETRY` checks whether a wait was queued at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunnerLook {
    /// Before it takes `ctx_lock`.
    Outside,
    /// With `ctx_lock`.
    Inside,
    /// Nowhere: a method that returns `EIOCBRETRY` has to make sure that it will be kicked.
    Never,
}

impl Version {
    /// Linux 2.6.13-rc3.
    pub const Y2005: Self = Self {
        name: "2005",
        sound_for_one_look: false,
        sound_for_two_looks: false,
        deletes_inside: false,
        kicks_inside: false,
        look: RunnerLook::Outside,
        asks_kicked: true,
        shut_out: true,
        starts_work_inside: false,
        reads_task_first: false,
        retry_limit: Some(1 << 20),
    };

    /// One half of the fix: `KICKED` is set within the section.
    pub const ONLY_KICK: Self = Self {
        name: "only the kick",
        kicks_inside: true,
        ..Self::Y2005
    };

    /// The other half: the wait entry is deleted within the section.
    ///
    /// It is enough for methods that look twice. They take the lock of the queue first, and so wait for a
    /// waker that is under way.
    pub const ONLY_DELETION: Self = Self {
        name: "only the deletion",
        sound_for_two_looks: true,
        deletes_inside: true,
        ..Self::Y2005
    };

    /// The patch in the seed, by Suzuki, of 27 July 2005: both halves, and the check of the run, too.
    pub const SUZUKI: Self = Self {
        name: "Suzuki",
        sound_for_one_look: true,
        sound_for_two_looks: true,
        deletes_inside: true,
        kicks_inside: true,
        look: RunnerLook::Inside,
        ..Self::Y2005
    };

    /// What Linux 2.6.14 did instead: `KICKED` is set within the section, and a run does not check.
    pub const V2_6_14: Self = Self {
        name: "2.6.14",
        sound_for_one_look: true,
        kicks_inside: true,
        look: RunnerLook::Never,
        retry_limit: None,
        ..Self::Y2005
    };

    /// All of them, oldest first.
    pub const ALL: [Self; 5] = [
        Self::Y2005,
        Self::ONLY_KICK,
        Self::ONLY_DELETION,
        Self::SUZUKI,
        Self::V2_6_14,
    ];
}
