//! Counts threads that get SIGBUS, instead of ending the process.

use core::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use core::time::Duration;

static CAUGHT: AtomicUsize = AtomicUsize::new(0);

/// From now on a thread that gets SIGBUS is counted and stops there.
pub fn catch() {
    extern "C" fn caught(_signal: libc::c_int) {
        CAUGHT.fetch_add(1, SeqCst);
        loop {
            // SAFETY: `pause` is allowed in a signal handler.
            unsafe { libc::pause() };
        }
    }
    let handler: extern "C" fn(libc::c_int) = caught;
    // SAFETY: the handler does nothing that a signal handler may not do.
    let before = unsafe { libc::signal(libc::SIGBUS, handler as libc::sighandler_t) };
    assert_ne!(before, libc::SIG_ERR);
}

/// The number of threads that have got SIGBUS.
pub fn caught() -> usize {
    CAUGHT.load(SeqCst)
}

/// Waits until this many threads have got SIGBUS. The time limit of the process ends a wait in vain.
pub fn wait_for(threads: usize) {
    while caught() < threads {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Starts a thread that reads a byte at this address and is expected to get SIGBUS.
pub fn doomed(address: *const u8) {
    let address = address as usize;
    thread::spawn(move || {
        // SAFETY: callers pass an address in the memory of a pager that is not dropped before the read ends.
        let byte = unsafe { (address as *const u8).read_volatile() };
        panic!("read {byte} instead of getting SIGBUS");
    });
}
