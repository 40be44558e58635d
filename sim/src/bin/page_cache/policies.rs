//! The policies: their names on the command line, and what they are in plain words.

use clap::ValueEnum;
use indicatif::ProgressBar;
use seqschedlock_sim::page_cache::{
    AsPosted, Commit, InvalidateRwLock, PageLock, Policy as _, Striped, Unprotected,
};

use crate::outcome::Figures;
use crate::workload::Workload;

/// A way to keep a cache from serving data that has been replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyName {
    Unprotected,
    AsPosted,
    PageLock,
    #[value(name = "invalidate-rwlock")]
    InvalidateRwLock,
    Commit,
    Striped,
}

impl PolicyName {
    /// One round of the workload under this policy.
    pub fn round(
        self,
        workload: &Workload,
        round: u32,
        bar: &ProgressBar,
    ) -> Result<Figures, String> {
        match self {
            Self::Unprotected => workload.round::<Unprotected>(round, bar),
            Self::AsPosted => workload.round::<AsPosted>(round, bar),
            Self::PageLock => workload.round::<PageLock>(round, bar),
            Self::InvalidateRwLock => workload.round::<InvalidateRwLock>(round, bar),
            Self::Commit => workload.round::<Commit>(round, bar),
            Self::Striped => workload.round::<Striped>(round, bar),
        }
    }

    /// As in the source.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unprotected => Unprotected::NAME,
            Self::AsPosted => AsPosted::NAME,
            Self::PageLock => PageLock::NAME,
            Self::InvalidateRwLock => InvalidateRwLock::NAME,
            Self::Commit => Commit::NAME,
            Self::Striped => Striped::NAME,
        }
    }

    /// Whether it keeps stale data out, as the models in `tests/` show.
    pub fn is_sound(self) -> bool {
        !matches!(self, Self::Unprotected | Self::AsPosted)
    }

    /// Whether it is built on this crate, and sound.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Commit | Self::Striped)
    }

    /// In a few words, for readers who know caches but not the kernel.
    pub fn in_short(self) -> &'static str {
        match self {
            Self::Unprotected => "no protection",
            Self::AsPosted => "the patch of 2005",
            Self::PageLock => "a mutex for each page",
            Self::InvalidateRwLock => "a plain RwLock",
            Self::Commit => "this crate, one lock",
            Self::Striped => "this crate, 64 locks",
        }
    }

    /// How it works.
    pub fn in_plain_words(self) -> &'static str {
        match self {
            Self::Unprotected => "a page can be mapped just after it was forgotten",
            Self::AsPosted => "waits until nobody writes, then maps; a write can begin in between",
            Self::PageLock => "every fault locks its page, and so does forgetting the page",
            Self::InvalidateRwLock => {
                "faults hold it shared, a direct write exclusively while pages are forgotten"
            }
            Self::Commit => "maps, then checks whether a write was under way, and undoes it if so",
            Self::Striped => {
                "the same, but a fault meets a write only if they share one of the locks"
            }
        }
    }
}
