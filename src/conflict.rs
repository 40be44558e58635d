//! What a check returns: a [`Stamp`] to keep, or the [`Conflict`] that was met.

use core::fmt;

/// Why a read section is not valid.
///
/// These are the two failures of the 2005 patch. There will be no third: match both. For what was read
/// they mean the same: throw it away, or take back what was published. They differ in what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Conflict {
    /// A write section began and ended inside the read section. None runs now: try again at once.
    Race,
    /// A write section is running. Trying again before it ends is wasted work: wait first.
    WriterRunning,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Conflict::Race => "a write section ran inside the read section; try again",
            Conflict::WriterRunning => "a write section is running; wait for it to end",
        })
    }
}

impl core::error::Error for Conflict {}

/// The moment at which a read section began, as [`read_begin`] saw it.
///
/// A stamp is plain data: it may be copied, stored, sent to another thread and checked as often as you like. (If
/// the thread that checks is not the one that looked, it must use
/// [`read_commit`](crate::RawSeqSchedLock::read_commit).) Once a check has failed with [`Conflict::Race`], every
/// later check of the same stamp fails too, until the sequence wraps (see [limits](crate#limits)).
///
/// A stamp is only good for the lock that made it. A lock that replaces another, as by `*lock = new`, is a different
/// lock: it may take a stamp of the old one for fresh.
///
/// [`read_begin`]: crate::RawSeqSchedLock::read_begin
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a stamp that is never checked proves nothing: give it to `read_end` or `read_commit`"]
pub struct Stamp(pub(crate) u64);
