//! Caches that are filled and invalidated at the same time: the usual way, and fenced.
//!
//! Five real caches, one after the other, each in front of a slow source whose values change. Each is an example
//! of its own that you can copy: `fenced_moka_future`, `fenced_moka_sync`, `fenced_quick_cache`,
//! `fenced_dashmap`, `fenced_map`. `rig/` is the harness that runs them.
//!
//! ```text
//! cargo run --release --example cache_fill
//! ```

#![allow(dead_code, reason = "each example has a `main` of its own, too")]

mod fenced_dashmap;
mod fenced_map;
mod fenced_moka_future;
mod fenced_moka_sync;
mod fenced_quick_cache;

const CACHES: [rig::Comparison; 5] = [
    fenced_moka_future::CACHE,
    fenced_quick_cache::CACHE,
    fenced_moka_sync::CACHE,
    fenced_dashmap::CACHE,
    fenced_map::CACHE,
];

fn main() -> std::process::ExitCode {
    rig::main(&CACHES)
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_fenced_cache_serves_anything_stale() {
        for cache in super::CACHES {
            let stale = rig::stale_when_fenced(&cache, core::time::Duration::from_millis(300));
            assert_eq!(stale, 0, "{cache:?}");
        }
    }
}
