//! Lifetimes as flags: what is freed is marked, so a model can report who touches it afterwards instead
//! of crashing.
//!
//! The memory itself stays for as long as anybody points to it.

use std::sync::Arc;

// `core`'s also under loom: only checkers look at the count.
use core::sync::atomic::AtomicUsize;

use crate::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed};
use crate::sync::look;

/// How many objects of one kind are alive.
#[derive(Clone, Debug, Default)]
pub(super) struct Alive(Arc<AtomicUsize>);

impl Alive {
    pub(super) fn count(&self) -> usize {
        self.0.load(Acquire)
    }
}

/// Whether one object is alive.
#[derive(Debug)]
pub(super) struct Lifetime {
    /// Loom's in a model: that is how it knows that using an object and freeing it depend on each other,
    /// and tries both orders.
    freed: AtomicBool,
    alive: Alive,
}

impl Lifetime {
    /// The object exists from now on.
    pub(super) fn begin(alive: &Alive) -> Self {
        alive.0.fetch_add(1, AcqRel);
        Self {
            freed: AtomicBool::new(false),
            alive: alive.clone(),
        }
    }

    /// The object exists no more. `false` if that is old news.
    pub(super) fn end(&self) -> bool {
        let first = !self.freed.swap(true, Relaxed);
        if first {
            self.alive.0.fetch_sub(1, AcqRel);
        }
        first
    }

    /// Relaxed: who asks must not be synchronized with others by that.
    pub(super) fn has_ended(&self) -> bool {
        look(&self.freed, Relaxed)
    }
}
