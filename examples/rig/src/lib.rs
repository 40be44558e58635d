//! The harness that runs the cache examples.
//!
//! An example is a cache that you can copy, in front of a [`Database`] whose rows have versions. The rig has many
//! threads or tasks get and rename the same few users, the usual way and fenced, and counts what was served: a
//! value is *stale* if it is older than a version whose update had returned before the get began.
//!
//! The work includes what a service meets. Some loads and some updates fail, an update sometimes after its change
//! has taken effect. Async callers give up one call in ten. When all is quiet, each key is read once more: a value
//! that is old then was *left stale*, and nothing would ever correct it.

mod database;
mod hits;
mod program;
mod table;
mod work;

pub use database::{BlockingDatabase, Database, Seen, User};
pub use program::{main, stale_when_fenced};
pub use work::{Awaited, Blocking, Comparison, awaited, blocking};
