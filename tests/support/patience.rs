//! Waiting with a deadline: a failure should say what it waited for, and not hang.

use core::time::Duration;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Instant;

/// Far more than anything here takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Yields to other threads until it is so.
#[track_caller]
#[allow(dead_code, reason = "not every test has something to poll")]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        thread::yield_now();
    }
}

/// What another thread sends.
#[track_caller]
#[allow(dead_code, reason = "not every test has a channel")]
pub fn receive<T>(what: &str, from: &Receiver<T>) -> T {
    match from.recv_timeout(PATIENCE) {
        Ok(sent) => sent,
        Err(error) => panic!("waited in vain: {what} ({error})"),
    }
}
