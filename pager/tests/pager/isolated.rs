//! Tests that may hang or die, in processes of their own.

use std::env;
use std::io::{self, Write as _};
use std::process::{self, Command};
use std::thread;

use core::time::Duration;

use crate::permitted::permitted;

/// Names the test to be run in a process.
const CHILD: &str = "PAGER_TEST_CHILD";
/// How such a process ends when all went well. Zero is what a process ends with that found no test to run.
const WELL: i32 = 77;
/// A hundred times what the slowest takes.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs this test in a process of its own.
///
/// `test` is [`here!`], in the test's function.
pub fn isolated(test: &str, body: impl FnOnce()) {
    let test = name(test);
    if env::var(CHILD).is_ok_and(|child| child == test) {
        thread::spawn(|| {
            thread::sleep(LIMIT);
            let _ = writeln!(io::stderr(), "it still runs after {LIMIT:?}: a fault hangs");
            process::abort();
        });
        body();
        process::exit(WELL);
    }
    if !permitted(test) {
        return;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(CHILD, test)
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(WELL),
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The name of the function it stands in, and a bit more.
macro_rules! here {
    () => {{
        fn here() {}
        core::any::type_name_of_val(&here)
    }};
}
pub(crate) use here;

/// The name of a test as the harness knows it: without the crate, and without the bit more.
fn name(here: &str) -> &str {
    let (_crate, rest) = here.split_once("::").unwrap();
    rest.strip_suffix("::here").unwrap()
}
