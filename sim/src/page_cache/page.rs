//! A page of the cache: `struct page`, its flags, its lock and its bytes.

use std::sync::Arc;
use std::time::Instant;

use core::fmt;

use super::census::Census;
use super::error::TimedOut;
use crate::locks::{lock, wait, wait_until};
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::sync::{Condvar, Mutex, WORDS_PER_PAGE};

/// Bytes in a page: 4096 (under loom one word, so that a model stays small).
pub const PAGE_SIZE: usize = WORDS_PER_PAGE * size_of::<u64>();

/// A thread has locked the page: `PG_locked`.
const LOCKED: u32 = 1;
/// A thread sleeps until `LOCKED` or `WRITEBACK` is cleared: `PG_waiters`.
const WAITERS: u32 = 1 << 1;
/// The bytes are those of the file: `PG_uptodate`.
const UPTODATE: u32 = 1 << 2;
/// The bytes are newer than the store's: `PG_dirty`.
const DIRTY: u32 = 1 << 3;
/// The bytes are on their way to the store: `PG_writeback`.
const WRITEBACK: u32 = 1 << 4;
/// The page is in the page cache: `page->mapping != NULL`.
const IN_CACHE: u32 = 1 << 5;
/// The store did not take the bytes: `PG_error`.
const ERROR: u32 = 1 << 6;

/// A reference to a page: `get_page` is a clone, `put_page` a drop.
///
/// The count is the `Arc`'s. Nothing in this model acts on it (2.6.15 did not either: an invalidate
/// checks `mapcount`, not references); the invariant checker compares it with the references it
/// knows of.
pub type PageRef = Arc<Page>;

/// One page: of the page cache, or the anonymous copy that a private write fault makes.
pub struct Page {
    index: u64,
    anonymous: bool,
    /// `LOCKED | WAITERS | UPTODATE | DIRTY | WRITEBACK | IN_CACHE | ERROR`
    ///
    /// | what changes | while holding |
    /// |---|---|
    /// | `LOCKED`, `WAITERS` | nothing |
    /// | `UPTODATE`, `IN_CACHE` | the page lock, for `IN_CACHE` the tree lock too |
    /// | `DIRTY` set | the page lock, or the page-table lock of a pte that was dirty |
    /// | `DIRTY` cleared, `WRITEBACK` set | the page lock |
    /// | `WRITEBACK` cleared, `ERROR` | nothing: the I/O has ended |
    flags: AtomicU32,
    /// How many ptes point here: `page->_mapcount`, which in the kernel starts at -1.
    mapcount: AtomicU32,
    /// Words, not bytes, and atomic: user space stores to a page while the kernel copies it.
    bytes: Box<[AtomicU64]>,
    /// Where sleepers wait for a bit, as `page_waitqueue`.
    queue: Mutex<()>,
    bit_gone: Condvar,
    census: Arc<Census>,
}

impl Page {
    fn new(index: u64, anonymous: bool, flags: u32, census: &Arc<Census>) -> PageRef {
        census.page_allocated();
        Arc::new(Self {
            index,
            anonymous,
            flags: AtomicU32::new(flags),
            mapcount: AtomicU32::new(0),
            bytes: (0..WORDS_PER_PAGE).map(|_| AtomicU64::new(0)).collect(),
            queue: Mutex::new(()),
            bit_gone: Condvar::new(),
            census: Arc::clone(census),
        })
    }

    /// A new page for the cache, locked by the caller: it must not be seen before it has been read.
    pub(super) fn new_locked(index: u64, census: &Arc<Census>) -> LockedPage {
        LockedPage {
            page: Self::new(index, false, LOCKED, census),
        }
    }

    /// Its place in the file, in pages.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Whether this is a private copy, not a page of the file: `PageAnon`.
    #[must_use]
    pub fn anonymous(&self) -> bool {
        self.anonymous
    }

    /// Whether the bytes are those of the file: `PageUptodate`. Acquire: a thread that sees the
    /// flag sees the bytes.
    #[must_use]
    pub fn uptodate(&self) -> bool {
        self.has(UPTODATE)
    }

    /// Whether the bytes are newer than the store's: `PageDirty`.
    #[must_use]
    pub fn dirty(&self) -> bool {
        self.has(DIRTY)
    }

    /// Whether the bytes are on their way to the store: `PageWriteback`.
    #[must_use]
    pub fn writeback(&self) -> bool {
        self.has(WRITEBACK)
    }

    /// Whether the last writeback failed: `PageError`. The bytes are not what the store has.
    #[must_use]
    pub fn error(&self) -> bool {
        self.has(ERROR)
    }

    /// Whether the store has these bytes and will keep them: the page is neither dirty nor under
    /// writeback, nor locked by a thread that takes it from one to the other. All three are read at
    /// once.
    pub(super) fn at_rest(&self) -> bool {
        !self.has(DIRTY | WRITEBACK | LOCKED)
    }

    /// Whether the page is locked: `PageLocked`.
    #[must_use]
    pub fn locked(&self) -> bool {
        self.has(LOCKED)
    }

    /// Whether the page is in the page cache: `page->mapping != NULL`.
    ///
    /// Only the page lock keeps the answer true.
    #[must_use]
    pub fn in_cache(&self) -> bool {
        self.has(IN_CACHE)
    }

    /// How many ptes point to it: `page_mapcount`.
    ///
    /// Relaxed, as in the kernel: the policies provide the ordering.
    #[must_use]
    pub fn mapcount(&self) -> u32 {
        self.mapcount.load(Ordering::Relaxed)
    }

    /// Whether a pte points to it: `page_mapped`.
    #[must_use]
    pub fn mapped(&self) -> bool {
        self.mapcount() != 0
    }

    /// `page_add_file_rmap`: from here on an invalidate knows that it has something to unmap.
    pub(super) fn add_rmap(&self) {
        self.mapcount.fetch_add(1, Ordering::Relaxed);
    }

    /// `page_remove_rmap`.
    pub(super) fn remove_rmap(&self) {
        self.mapcount.fetch_sub(1, Ordering::Relaxed);
    }

    fn has(&self, flag: u32) -> bool {
        self.flags.load(Ordering::Acquire) & flag != 0
    }

    fn set(&self, flag: u32) -> bool {
        self.flags.fetch_or(flag, Ordering::AcqRel) & flag != 0
    }

    fn clear(&self, flag: u32) -> bool {
        self.flags.fetch_and(!flag, Ordering::AcqRel) & flag != 0
    }

    /// `set_page_dirty`, for a caller that holds a dirty pte instead of the page lock.
    pub(super) fn set_dirty_by_pte(&self) {
        self.set(DIRTY);
    }

    /// `end_page_writeback`.
    pub(super) fn end_writeback(&self, ok: bool) {
        if ok {
            self.clear(ERROR);
        } else {
            self.set(ERROR);
        }
        self.clear_and_wake(WRITEBACK);
    }

    /// A private copy: what `do_cow_fault` makes.
    pub(super) fn anonymous_copy(&self) -> PageRef {
        let copy = Self::new(self.index, true, UPTODATE, &self.census);
        for (to, from) in copy.bytes.iter().zip(&self.bytes) {
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        copy
    }

    /// The word at `position` (in words) as user space reads it.
    pub(super) fn load(&self, position: usize) -> u64 {
        u64::from_le(self.bytes[position].load(Ordering::Relaxed))
    }

    /// The word at `position` (in words) as user space writes it.
    pub(super) fn store(&self, position: usize, word: u64) {
        self.bytes[position].store(word.to_le(), Ordering::Relaxed);
    }

    pub(super) fn copy_out(&self, bytes: &mut [u8; PAGE_SIZE]) {
        for (word, bytes) in self
            .bytes
            .iter()
            .zip(bytes.chunks_exact_mut(size_of::<u64>()))
        {
            bytes.copy_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
        }
    }

    pub(super) fn copy_in(&self, bytes: &[u8; PAGE_SIZE]) {
        for (word, bytes) in self.bytes.iter().zip(bytes.chunks_exact(size_of::<u64>())) {
            let bytes = bytes.try_into().expect("a chunk has the size of a word");
            word.store(u64::from_ne_bytes(bytes), Ordering::Relaxed);
        }
    }

    /// Locks the page, sleeping if it must: `lock_page`.
    ///
    /// A thread that already holds the lock waits for itself.
    pub fn lock(self: &Arc<Self>) -> LockedPage {
        self.lock_until(None).expect("no deadline can pass")
    }

    /// Locks the page unless `deadline` passes first.
    pub(super) fn lock_until(
        self: &Arc<Self>,
        deadline: Option<Instant>,
    ) -> Result<LockedPage, TimedOut> {
        match self.try_lock() {
            Some(page) => Ok(page),
            None => {
                self.sleep_while(LOCKED, LOCKED, deadline)?;
                Ok(LockedPage {
                    page: Arc::clone(self),
                })
            }
        }
    }

    /// Locks the page unless it is locked already: `trylock_page`, `!TestSetPageLocked` in 2005.
    pub fn try_lock(self: &Arc<Self>) -> Option<LockedPage> {
        (!self.set(LOCKED)).then(|| LockedPage {
            page: Arc::clone(self),
        })
    }

    /// `wait_on_page_bit`: sleeps until `flag` is clear, and sets `instead` in its place.
    ///
    /// Testing the flag and requesting a wake-up are one operation, done with the queue locked: a
    /// thread that clears the flag later finds the request, and the sleeper in the queue.
    fn sleep_while(
        &self,
        flag: u32,
        instead: u32,
        deadline: Option<Instant>,
    ) -> Result<(), TimedOut> {
        let mut queue = lock(&self.queue);
        while self.flags.fetch_or(WAITERS | instead, Ordering::AcqRel) & flag != 0 {
            queue = match deadline {
                None => wait(&self.bit_gone, queue),
                Some(deadline) => wait_until(&self.bit_gone, queue, deadline).ok_or(TimedOut)?,
            };
        }
        Ok(())
    }

    /// Clears `flag` and wakes all threads that wait for that: `wake_up_page`.
    fn clear_and_wake(&self, flag: u32) {
        let old = self.flags.fetch_and(!(flag | WAITERS), Ordering::AcqRel);
        if old & WAITERS != 0 {
            drop(lock(&self.queue));
            self.bit_gone.notify_all();
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.census.page_freed();
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = self.flags.load(Ordering::Relaxed);
        f.debug_struct("Page")
            .field("index", &self.index)
            .field("anonymous", &self.anonymous)
            .field("locked", &(flags & LOCKED != 0))
            .field("uptodate", &(flags & UPTODATE != 0))
            .field("dirty", &(flags & DIRTY != 0))
            .field("writeback", &(flags & WRITEBACK != 0))
            .field("in_cache", &(flags & IN_CACHE != 0))
            .field("mapcount", &self.mapcount.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}

/// A page locked by the holder. Dropping it unlocks the page: `unlock_page`.
///
/// What the kernel's comments require ("page must be locked") is required by the type here.
#[must_use = "if unused, the page is unlocked at once"]
#[derive(Debug)]
pub struct LockedPage {
    page: PageRef,
}

impl LockedPage {
    /// Another reference to the page, which does not hold the lock.
    #[must_use]
    pub fn page(&self) -> &PageRef {
        &self.page
    }

    /// Unlocks the page and keeps the reference.
    pub(super) fn unlock(self) -> PageRef {
        Arc::clone(&self.page)
    }

    pub(super) fn set_uptodate(&self) {
        self.page.set(UPTODATE);
    }

    pub(super) fn set_in_cache(&self, in_cache: bool) {
        if in_cache {
            self.page.set(IN_CACHE);
        } else {
            self.page.clear(IN_CACHE);
        }
    }

    /// The bytes are newer than the store's from now on: `set_page_dirty`.
    pub fn set_dirty(&self) {
        self.page.set(DIRTY);
    }

    /// `TestClearPageDirty`: whether it was dirty.
    pub(super) fn clear_dirty(&self) -> bool {
        self.page.clear(DIRTY)
    }

    /// `set_page_writeback`.
    pub(super) fn set_writeback(&self) {
        self.page.set(WRITEBACK);
    }

    /// Zeros from the byte `start` on: `truncate_partial_page`.
    ///
    /// Word by word: user space may be storing to the rest of the page.
    pub(super) fn zero_from(&self, start: usize) {
        for (position, word) in self.page.bytes.iter().enumerate() {
            let kept = start.saturating_sub(position * size_of::<u64>());
            if kept == 0 {
                word.store(0, Ordering::Relaxed);
            } else if kept < size_of::<u64>() {
                let mut mask = [0; size_of::<u64>()];
                mask[..kept].fill(0xff);
                word.fetch_and(u64::from_ne_bytes(mask), Ordering::Relaxed);
            }
        }
    }

    /// `wait_on_page_writeback`.
    pub(super) fn wait_on_writeback(&self) {
        if self.page.writeback() {
            self.page
                .sleep_while(WRITEBACK, 0, None)
                .expect("no deadline can pass");
        }
    }
}

impl core::ops::Deref for LockedPage {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

impl Drop for LockedPage {
    fn drop(&mut self) {
        self.page.clear_and_wake(LOCKED);
    }
}
