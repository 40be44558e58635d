//! What a check answers: a [`Stamp`] to hold on to, or the [`Conflict`] that was met.

use core::fmt;

/// Why a read section did not hold.
///
/// The two answers of the 2005 patch besides success, in order of what a caller does about them. There
/// will be no third: match both.
/// Both mean the same for what was read: throw it away, or take back what was published.
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
            Conflict::WriterRunning => "a write section is running; wait for its end",
        })
    }
}

impl core::error::Error for Conflict {}

/// The moment at which a read section began, as [`read_begin`] saw it.
///
/// A stamp is plain data: it may be copied, stored, sent to another thread and checked as often as you like. (If
/// another thread checks than the one that looked, it has to use
/// [`read_commit`](crate::RawSeqSchedLock::read_commit).) Once a check with it has failed with [`Conflict::Race`], every
/// later one fails too, up to the wrap of the sequence, which the [crate documentation](crate#limits) bounds.
///
/// A stamp is only good for the lock that made it. A lock that is put in another's place, as by `*lock = new`, is another
/// lock: a stamp of the old one may be taken for fresh by the new one.
///
/// [`read_begin`]: crate::RawSeqSchedLock::read_begin
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a stamp that is never checked proves nothing: give it to `read_end` or `read_commit`"]
pub struct Stamp(pub(crate) u64);
