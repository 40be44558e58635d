//! Lifetimes as flags. An object that is freed is only marked, so a model can report a later access
//! instead of crashing.
//!
//! The memory itself stays as long as anything points to it.

use std::sync::Arc;

// From `core` also under loom: only checkers look at the count.
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
    /// An atomic of loom's in a model. That is how loom learns that using an object and freeing it depend
    /// on each other, and tries both orders.
    freed: AtomicBool,
    alive: Alive,
}

impl Lifetime {
    /// A new object.
    pub(super) fn begin(alive: &Alive) -> Self {
        alive.0.fetch_add(1, AcqRel);
        Self {
            freed: AtomicBool::new(false),
            alive: alive.clone(),
        }
    }

    /// Frees the object. Returns `false` if it had been freed before.
    pub(super) fn end(&self) -> bool {
        let first = !self.freed.swap(true, Relaxed);
        if first {
            self.alive.0.fetch_sub(1, AcqRel);
        }
        first
    }

    /// Relaxed, because asking must not synchronize threads.
    pub(super) fn has_ended(&self) -> bool {
        look(&self.freed, Relaxed)
    }
}
