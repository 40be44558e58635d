//! A page of a ring: its references, its lock and its bytes.

use std::sync::Arc;

// From `core` also under loom: only the holder of the page lock changes it.
use core::sync::atomic::AtomicBool;

use super::violation::Violation;
use super::witness::Witness;
use crate::aio::counts::get_unless_zero;
use crate::aio::lifetime::Lifetime;
use crate::aio::lockdep::{Deadlock, LockClass};
use crate::aio::locks::{SleepingGuard, SleepingLock};
use crate::sync::RING_SLOTS;
use crate::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{self, AcqRel, Acquire, Relaxed, Release},
};

/// The references of a page at rest: that of the cache and that of the context.
pub(super) const CACHE_AND_CONTEXT: u32 = 2;

/// What `id` says until the context is in the table.
pub(super) const NO_ID: u32 = u32::MAX;

/// The slot of the event at `position`: the header comes first.
pub(super) fn slot(position: u32) -> usize {
    position as usize + 1
}

/// One page of a ring, in the cache or on its way there.
///
/// Of the header, only the words that change after setup are modelled; of an event, only its `data`.
#[derive(Debug)]
pub(super) struct RingPage {
    index: usize,
    /// `page->_count`: one for the cache, one for the context, one for whoever isolates it. (Those of ptes
    /// are left out: a migration removes them before the count is compared.)
    references: AtomicU32,
    /// `page->mapping != NULL`.
    mapping: AtomicBool,
    page_lock: SleepingLock,
    id: AtomicU32,
    head: AtomicU32,
    tail: AtomicU32,
    /// All slots but that of the header.
    events: Box<[AtomicU64]>,
    lifetime: Lifetime,
    witness: Arc<Witness>,
}

impl RingPage {
    /// A new page with one reference, which belongs to the caller.
    pub(super) fn new(index: usize, witness: &Arc<Witness>) -> Arc<Self> {
        let events = RING_SLOTS - header_slots(index);
        Arc::new(Self {
            index,
            references: AtomicU32::new(1),
            mapping: AtomicBool::new(false),
            page_lock: SleepingLock::new(LockClass::PageLock, &witness.lockdep),
            id: AtomicU32::new(0),
            head: AtomicU32::new(0),
            tail: AtomicU32::new(0),
            events: (0..events).map(|_| AtomicU64::new(0)).collect(),
            lifetime: Lifetime::begin(&witness.pages),
            witness: Arc::clone(witness),
        })
    }

    /// Its place in the ring.
    pub(super) fn index(&self) -> usize {
        self.index
    }

    fn touch(&self) {
        if self.lifetime.has_ended() {
            self.witness.report(Violation::FreedPageTouched);
        }
    }

    /// `get_page`.
    pub(super) fn get(&self) {
        if self.references.fetch_add(1, AcqRel) == 0 {
            self.witness.report(Violation::FreedPageTouched);
        }
    }

    /// `get_page_unless_zero`. Returns `false` if the page has been freed.
    pub(super) fn try_get(&self) -> bool {
        get_unless_zero(&self.references, CACHE_AND_CONTEXT)
    }

    /// `put_page`.
    pub(super) fn put(&self) {
        match self.references.fetch_sub(1, AcqRel) {
            0 => {
                self.references.fetch_add(1, AcqRel);
                self.witness.report(Violation::PagePutTwice);
            }
            1 => {
                self.lifetime.end();
            }
            _ => {}
        }
    }

    /// `page_count`.
    pub(super) fn references(&self) -> u32 {
        self.references.load(Acquire)
    }

    /// Drops the reference of the cache if there are exactly `expected` references: `page_freeze_refs` and
    /// `page_unfreeze_refs` in one.
    pub(super) fn put_if_exactly(&self, expected: u32) -> bool {
        self.references
            .compare_exchange(expected, expected - 1, AcqRel, Acquire)
            .is_ok()
    }

    /// `lock_page`.
    pub(super) fn lock(&self) -> Result<SleepingGuard<'_>, Deadlock> {
        self.page_lock.lock()
    }

    /// `trylock_page`, for a new page that nobody else knows.
    pub(super) fn lock_new(&self) -> SleepingGuard<'_> {
        self.page_lock.try_lock().expect("nobody else knows it")
    }

    /// Whether `page->mapping` is set.
    pub(super) fn has_mapping(&self) -> bool {
        self.mapping.load(Acquire)
    }

    pub(super) fn set_mapping(&self, mapping: bool) {
        self.mapping.store(mapping, Release);
    }

    pub(super) fn id(&self) -> u32 {
        self.touch();
        self.id.load(Relaxed)
    }

    pub(super) fn set_id(&self, id: u32) {
        self.touch();
        self.id.store(id, Relaxed);
    }

    pub(super) fn head(&self) -> u32 {
        self.touch();
        self.head.load(Relaxed)
    }

    /// The head and the tail.
    pub(super) fn head_and_tail(&self, tail: Ordering) -> (u32, u32) {
        self.touch();
        (self.head.load(Relaxed), self.tail.load(tail))
    }

    pub(super) fn set_head(&self, head: u32) {
        self.touch();
        self.head.store(head, Relaxed);
    }

    pub(super) fn tail(&self) -> u32 {
        self.touch();
        self.tail.load(Relaxed)
    }

    /// Stores the tail and returns the old one.
    pub(super) fn replace_tail(&self, tail: u32, ordering: Ordering) -> u32 {
        self.touch();
        let old = self.tail.load(Relaxed);
        self.tail.store(tail, ordering);
        old
    }

    /// The event in `slot` of the ring.
    pub(super) fn event(&self, slot: usize) -> u64 {
        self.touch();
        self.events[self.place(slot)].load(Relaxed)
    }

    pub(super) fn set_event(&self, slot: usize, data: u64) {
        self.touch();
        self.events[self.place(slot)].store(data, Relaxed);
    }

    fn place(&self, slot: usize) -> usize {
        slot % RING_SLOTS - header_slots(self.index)
    }

    /// `migrate_page_copy`: word by word, while others may be writing.
    pub(super) fn copy_from(&self, old: &Self) {
        old.touch();
        if self.index == 0 {
            let words = [
                (&self.id, &old.id),
                (&self.head, &old.head),
                (&self.tail, &old.tail),
            ];
            for (to, from) in words {
                to.store(from.load(Relaxed), Relaxed);
            }
        }
        for (to, from) in self.events.iter().zip(&old.events) {
            to.store(from.load(Relaxed), Relaxed);
        }
    }
}

/// Whether a pointer to a page points to this one.
pub(super) fn is(pointer: Option<&Arc<RingPage>>, page: &Arc<RingPage>) -> bool {
    pointer.is_some_and(|pointer| Arc::ptr_eq(pointer, page))
}

fn header_slots(index: usize) -> usize {
    usize::from(index == 0)
}
