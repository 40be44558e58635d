//! The program `pager`, as a user meets it: what it prints, what it leaves behind, how it ends, and that what it
//! counts is what should be there to count.
#![cfg(all(target_os = "linux", not(loom)))]

#[path = "pager_program/desk.rs"]
mod desk;
#[path = "pager_program/forbidden.rs"]
mod forbidden;
#[path = "pager/permitted.rs"]
mod permitted;
#[path = "pager_program/use_of_it.rs"]
mod use_of_it;
#[path = "pager_program/workloads.rs"]
mod workloads;
