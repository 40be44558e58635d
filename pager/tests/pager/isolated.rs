//! Runs tests that may hang or die in processes of their own.

use std::env;
use std::io::{self, Write as _};
use std::process::{self, Command};
use std::thread;

use core::time::Duration;

use crate::permitted::permitted;

/// The environment variable that names the test to run in the child process.
const CHILD: &str = "PAGER_TEST_CHILD";
/// The exit status of a child whose test has passed. Not 0, which means that it found no test to run.
const WELL: i32 = 77;
/// Many times what the slowest test takes.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs this test in a process of its own.
///
/// `test` is `here!()`, called in the function of the test.
pub fn isolated(test: &str, body: impl FnOnce()) {
    let test = name(test);
    if env::var(CHILD).is_ok_and(|child| child == test) {
        thread::spawn(|| {
            thread::sleep(LIMIT);
            let _ = writeln!(io::stderr(), "still running after {LIMIT:?}: a fault hangs");
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

/// The name of the enclosing function, with a suffix.
macro_rules! here {
    () => {{
        fn here() {}
        core::any::type_name_of_val(&here)
    }};
}
pub(crate) use here;

/// The name of a test as the harness knows it: without the crate and without the suffix.
fn name(here: &str) -> &str {
    let (_crate, rest) = here.split_once("::").unwrap();
    rest.strip_suffix("::here").unwrap()
}
