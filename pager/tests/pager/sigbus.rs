//! Threads that get SIGBUS, counted instead of killed.

use core::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use core::time::Duration;

static CAUGHT: AtomicUsize = AtomicUsize::new(0);

/// From now on a thread that gets SIGBUS is counted, and goes no further.
pub fn catch() {
    extern "C" fn caught(_signal: libc::c_int) {
        CAUGHT.fetch_add(1, SeqCst);
        loop {
            // SAFETY: the call takes nothing, and may be made in a signal handler.
            unsafe { libc::pause() };
        }
    }
    let handler: extern "C" fn(libc::c_int) = caught;
    // SAFETY: the handler only does what signal handlers may: atomics and `pause`.
    let before = unsafe { libc::signal(libc::SIGBUS, handler as libc::sighandler_t) };
    assert_ne!(before, libc::SIG_ERR);
}

/// How many threads there are so far.
pub fn caught() -> usize {
    CAUGHT.load(SeqCst)
}

/// Waits until there are so many. (What may be in vain: the process has a time limit.)
pub fn wait_for(threads: usize) {
    while caught() < threads {
        thread::sleep(Duration::from_millis(1));
    }
}

/// A thread that reads a byte at this address, and does not come back from it.
pub fn doomed(address: *const u8) {
    let address = address as usize;
    thread::spawn(move || {
        // SAFETY: for those who call this the address is in a pager's memory, and that memory outlives the
        // read: it ends by SIGBUS, which is what they are after.
        let byte = unsafe { (address as *const u8).read_volatile() };
        panic!("read {byte} where SIGBUS was due");
    });
}
