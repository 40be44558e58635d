//! Linux AIO: the ring that user space and the kernel share, and what happened to it over the years.
//!
//! | system | seed |
//! |---|---|
//! | [`remap`]: `mremap` of a ring against `io_destroy` | Benjamin LaHaise's "[GIT PULL] aio: changes for 3.19" of 2014 |

pub mod remap;
