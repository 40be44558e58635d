//! Tests that need a userfaultfd.

use std::env;
use std::io::{self, Write as _};

use seqschedlock_pager::{Unavailable, available};

/// Whether there is a userfaultfd to be had. If not, the test is skipped aloud, or fails.
pub fn permitted(test: &str) -> bool {
    let error = match available() {
        Ok(()) => return true,
        Err(error) => error,
    };
    let unavailable = error.get_ref().is_some_and(|why| why.is::<Unavailable>());
    let required = env::var("PAGER").is_ok_and(|pager| pager == "require");
    assert!(unavailable && !required, "{error}");
    // Past the test harness, which shows what a test prints only if it fails.
    let _ = writeln!(io::stderr(), "SKIPPED: {test}: {error}");
    false
}
