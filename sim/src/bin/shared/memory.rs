//! Running out of memory, reported like any other error: in one line, with exit code 2.
//!
//! Without this the standard library aborts the program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// The system's allocator, for a program of this name.
#[derive(Debug)]
pub struct SaysWhenEmpty(pub &'static str);

// SAFETY: every call goes to `System`, which keeps the contract. What it returns is handed on as it is,
// unless it is null, and then nothing is returned at all.
unsafe impl GlobalAlloc for SaysWhenEmpty {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of this function, which is that of `System`'s.
        self.checked(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        self.checked(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above; all memory that is handed out is from `System`.
        self.checked(unsafe { System.realloc(memory, layout, size) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

impl SaysWhenEmpty {
    #[inline]
    fn checked(&self, memory: *mut u8) -> *mut u8 {
        if memory.is_null() {
            self.give_up()
        }
        memory
    }

    /// Ends the program. Allocates nothing, and prints only once, however many threads get here.
    #[cold]
    pub fn give_up(&self) -> ! {
        static ENDING: AtomicBool = AtomicBool::new(false);
        while ENDING.swap(true, Relaxed) {
            std::thread::sleep(Duration::from_secs(1));
        }
        let mut errors = std::io::stderr();
        for part in [self.0, ": not enough memory for what was asked\n"] {
            // There is nobody else to tell.
            let _ = errors.write_all(part.as_bytes());
        }
        std::process::exit(2)
    }
}
