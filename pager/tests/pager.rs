//! The pager on real page faults: what it serves, what it keeps from being served, and how it ends.
//!
//! Every test runs in a process of its own, with a time limit: a fault that nobody serves hangs its thread for
//! ever, and SIGBUS ends the process. Where userfaultfd is not permitted they are skipped, and say so;
//! `PAGER=require` makes that a failure.
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
