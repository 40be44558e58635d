//! The pager on real page faults.
//!
//! Every test runs in a process of its own, with a time limit, because a fault that is not served hangs its
//! thread for ever and SIGBUS ends the process. Where userfaultfd is not permitted, the tests print that
//! they are skipped; `PAGER=require` makes that a failure.
#![cfg(all(target_os = "linux", not(loom)))]

#[path = "pager/ends.rs"]
mod ends;
#[path = "pager/failures.rs"]
mod failures;
#[path = "pager/faults.rs"]
mod faults;
#[path = "pager/invalidations.rs"]
mod invalidations;
#[path = "pager/isolated.rs"]
mod isolated;
#[path = "pager/permitted.rs"]
mod permitted;
#[path = "pager/scripted.rs"]
mod scripted;
#[path = "pager/sigbus.rs"]
mod sigbus;
