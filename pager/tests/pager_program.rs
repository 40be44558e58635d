//! The program `pager`: its options, its reports, its exit codes, and the races in its workloads.
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
