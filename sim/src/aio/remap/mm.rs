//! A process: what it has mapped, and its contexts.

use core::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use seqschedlock::{Park, RawSeqSchedLock, WriteGuard};

use super::areas::{Areas, Mapped, Object, Protection};
use super::census::Census;
use super::ring_file::PAGE_SIZE;
use super::table::Table;
use super::version::Rules;
use crate::aio::errno::Errno;
use crate::locks::{lock, read, write};
use crate::sync::{Mutex, RwLock};

/// Where the kernel puts rings, one page free behind each. What user space maps at places of its own choice
/// should lie below.
const RINGS: u64 = 0x7f00_0000_0000;

/// `struct mm_struct`: the address space of a process, and the AIO contexts that are part of it.
///
/// A method named after a system call stands for that call. Several threads may make them at once.
///
/// ```
/// use seqschedlock_sim::aio::remap::{MREMAP_FIXED, MREMAP_MAYMOVE, Mm, PAGE_SIZE, Request, Version};
///
/// let process = Mm::new(Version::Y2015.rules());
/// let old = process.io_setup(1)?;
/// let new = process.mremap(old, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, 0x1000_0000)?;
/// process.mmap(old, PAGE_SIZE)?; // somebody else's from now on
///
/// process.io_submit(new, Request::Read { data: 7 })?;
/// assert_eq!(process.io_getevents(new, 1, 1), Ok(vec![7]));
/// process.io_destroy(new)?;
/// assert!(process.is_mapped(old) && !process.is_mapped(new));
/// assert_eq!(process.check(), Ok(()));
/// # Ok::<(), seqschedlock_sim::aio::Errno>(())
/// ```
#[derive(Debug)]
pub struct Mm {
    pub(super) rules: Rules,
    /// Held for writing by whatever changes areas, for reading by a fault.
    pub(super) mmap_sem: RwLock<()>,
    pub(super) page_table: Mutex<Areas>,
    /// With `ioctx_lock` around it.
    pub(super) table: Mutex<Table>,
    /// If the process is observed, every system call is a write section of this.
    pub(super) changes: Option<RawSeqSchedLock<Park>>,
    pub(super) census: Arc<Census>,
    next: Next,
}

/// Numbers and places that are given out once. (`core`'s also under loom: their order is of no interest.)
#[derive(Debug)]
struct Next {
    number: AtomicU64,
    place: AtomicU64,
}

impl Clone for Next {
    fn clone(&self) -> Self {
        Self {
            number: AtomicU64::new(self.number.load(Relaxed)),
            place: AtomicU64::new(self.place.load(Relaxed)),
        }
    }
}

impl Mm {
    /// A process without areas and contexts.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            mmap_sem: RwLock::new(()),
            page_table: Mutex::new(Areas::new(rules.steps.ring_keeps_edges)),
            table: Mutex::new(Table::default()),
            changes: None,
            census: Arc::default(),
            next: Next {
                number: AtomicU64::new(0),
                place: AtomicU64::new(RINGS),
            },
            rules,
        }
    }

    /// As [`new`](Self::new), for a process that can be [observed](Self::observe) while its threads
    /// are at work.
    #[must_use]
    pub fn observed(rules: Rules) -> Self {
        Self {
            changes: Some(RawSeqSchedLock::new()),
            ..Self::new(rules)
        }
    }

    /// Around every system call.
    pub(super) fn section(&self) -> Option<WriteGuard<'_, Park>> {
        self.changes.as_ref().map(RawSeqSchedLock::write)
    }

    /// Maps memory of the process's own, all zero, if nothing is there: `MAP_FIXED_NOREPLACE`.
    ///
    /// # Errors
    ///
    /// `EINVAL` for an address inside a page or no length, `EEXIST` if something is there.
    pub fn mmap(&self, at: u64, length: u64) -> Result<u64, Errno> {
        let _section = self.section();
        let range = pages(at, length)?;
        let _mmap_sem = write(&self.mmap_sem);
        let mut page_table = lock(&self.page_table);
        if !page_table.is_free(&range) {
            return Err(Errno::Exists);
        }
        let object = Object::Innocent {
            number: self.number(),
            first_word: 0,
        };
        page_table.map(range, &object);
        Ok(at)
    }

    /// Unmaps whatever is there.
    ///
    /// # Errors
    ///
    /// `EINVAL` for an address inside a page or no length.
    pub fn munmap(&self, at: u64, length: u64) -> Result<(), Errno> {
        let _section = self.section();
        let range = pages(at, length)?;
        let _mmap_sem = write(&self.mmap_sem);
        self.unmap(range);
        Ok(())
    }

    /// Says what user space may do with a range.
    ///
    /// # Errors
    ///
    /// `EINVAL` for an address inside a page, `ENOMEM` for a range with a hole: what lies before the
    /// hole has changed.
    pub fn mprotect(&self, at: u64, length: u64, protection: Protection) -> Result<(), Errno> {
        let _section = self.section();
        if length == 0 && at % PAGE_SIZE == 0 {
            return Ok(());
        }
        let range = pages(at, length)?;
        let _mmap_sem = write(&self.mmap_sem);
        let mut page_table = lock(&self.page_table);
        let answer = page_table.protect(range.clone(), protection);
        for ring in page_table.rings_in(range) {
            ring.spoil();
        }
        answer
    }

    /// User space reads a word: the first of a page, or one of the first four of a ring. (The model has no
    /// others.) `None` where it would get a signal instead.
    #[must_use]
    pub fn load(&self, at: u64) -> Option<u32> {
        let look = || self.mapped(at, |mapped, index| mapped.load(index))?;
        look().or_else(|| {
            // A fault. It waits for a thread that is moving areas before it says that nothing is
            // there.
            let _mmap_sem = read(&self.mmap_sem);
            look()
        })
    }

    /// User space writes such a word; returns whether it could.
    pub fn store(&self, at: u64, word: u32) -> bool {
        let _section = self.section();
        let mut page_table = lock(&self.page_table);
        let mapped = page_table.get_mut(at / PAGE_SIZE);
        mapped.is_some_and(|mapped| mapped.store(at % PAGE_SIZE / 4, word))
    }

    /// Whether anything is mapped at an address.
    #[must_use]
    pub fn is_mapped(&self, at: u64) -> bool {
        self.mapped(at, |_, _| ()).is_some()
    }

    /// What is mapped at an address, and which word of its page that is.
    pub(super) fn mapped<R>(&self, at: u64, look: impl FnOnce(&Mapped, u64) -> R) -> Option<R> {
        let page_table = lock(&self.page_table);
        let mapped = page_table.get(at / PAGE_SIZE)?;
        Some(look(mapped, at % PAGE_SIZE / 4))
    }

    /// Unmaps on behalf of user space, with `mmap_sem` held.
    pub(super) fn unmap(&self, range: Range<u64>) {
        let unmapped = lock(&self.page_table).unmap(range);
        for (_, mapped) in unmapped {
            if let Some(ring) = mapped.ring() {
                ring.spoil();
            }
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.next.number.fetch_add(1, Relaxed)
    }

    /// Where the kernel maps the next ring, of so many pages.
    pub(super) fn place(&self, pages: u64) -> u64 {
        self.next.place.fetch_add((pages + 1) * PAGE_SIZE, Relaxed)
    }

    /// `fork`: a process with copies of the areas and without contexts.
    ///
    /// From then on, neither sees what the other writes to its own memory. (The kernel would share it,
    /// since it is mapped as shared.)
    #[must_use]
    pub fn fork(&self) -> Self {
        let _section = self.section();
        let child = Self {
            next: self.next.clone(),
            ..Self::new(self.rules)
        };
        let _mmap_sem = write(&self.mmap_sem);
        let copies = lock(&self.page_table)
            .copy(|mapped| mapped.ring().is_none() || self.rules.fork_copies_ring);
        *lock(&child.page_table) = copies;
        child
    }

    /// The last thread ends, or calls `execve`: contexts die first, then areas go.
    pub fn exit(&self) {
        let _section = self.section();
        self.kill_all();
        let _mmap_sem = write(&self.mmap_sem);
        *lock(&self.page_table) = Areas::new(self.rules.steps.ring_keeps_edges);
    }
}

/// The pages of a range, which begins with one.
pub(super) fn pages(at: u64, length: u64) -> Result<Range<u64>, Errno> {
    let length = page_align(length);
    if at % PAGE_SIZE != 0 || length == 0 || at.checked_add(length).is_none() {
        return Err(Errno::Invalid);
    }
    Ok(at / PAGE_SIZE..(at + length) / PAGE_SIZE)
}

/// Up to whole pages; 0 for what is too long.
pub(super) const fn page_align(length: u64) -> u64 {
    length.wrapping_add(PAGE_SIZE - 1) & !(PAGE_SIZE - 1)
}
