//! Skips tests where userfaultfd is not permitted.

use std::env;
use std::io::{self, Write as _};
use std::sync::Once;

use seqschedlock_pager::{Unavailable, available};

/// Whether userfaultfd is permitted. If not, this prints that the test is skipped, or fails.
pub fn permitted(test: &str) -> bool {
    let error = match available() {
        Ok(()) => return true,
        Err(error) => error,
    };
    let unavailable = error.get_ref().is_some_and(|why| why.is::<Unavailable>());
    let required = env::var("PAGER").is_ok_and(|pager| pager == "require");
    assert!(unavailable && !required, "{error}");
    // Written directly, because the test harness hides the output of tests that pass.
    static WHY: Once = Once::new();
    WHY.call_once(|| say(&format!("Tests of the pager are SKIPPED: {error}\n")));
    say(&format!("SKIPPED without userfaultfd: {test}\n"));
    false
}

/// In one piece, because tests run at the same time.
fn say(line: &str) {
    let _ = io::stderr().write_all(line.as_bytes());
}
