//! Tests that need a userfaultfd.

use std::env;
use std::io::{self, Write as _};
use std::sync::Once;

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
    // Past the test harness, which shows what a test prints only if it fails. In one piece, since tests run side
    // by side.
    static WHY: Once = Once::new();
    WHY.call_once(|| say(&format!("The pager's tests are SKIPPED: {error}\n")));
    say(&format!("SKIPPED, for want of userfaultfd: {test}\n"));
    false
}

fn say(line: &str) {
    let _ = io::stderr().write_all(line.as_bytes());
}
