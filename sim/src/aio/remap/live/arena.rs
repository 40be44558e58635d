//! A stretch of address space that is empty but for what an arena puts there.

use core::ffi::c_int;
use core::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};

use super::kernel::Skip;
use super::maps::{self, Object, Page};
use super::sys::{self, Error};
use crate::aio::remap::{MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE, Protection};
use crate::locks::lock;
use crate::sync::Mutex;

/// How many pages an arena has.
const PAGES: u64 = 1024;
/// Where it may be: far below what the kernel chooses by itself. The first one is out of reach for some
/// processors, and taken under ThreadSanitizer.
const BASES: [u64; 3] = [0x1000_0000_0000, 0x10_0000_0000, 0x4000_0000];
/// The fifth word of a ring.
const MAGIC: u32 = 0xa10a_10a1;
/// How long an event on its way may take.
const DEADLINE_MS: c_int = 5_000;

/// Whether this process has an arena. An empty one looks like free address space, so nothing else tells.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Real rings in a place of their own: system calls as [`Mm`](crate::aio::remap::Mm) has them. Addresses are
/// counted from the beginning of the arena, and all of them are inside. A process has one arena at a time.
///
/// # Panics
///
/// Every method panics if an address is outside.
#[derive(Debug)]
pub struct Arena {
    base: u64,
    zero: File,
    /// Which ring the context at an index of the table has.
    contexts: Mutex<Vec<Option<u64>>>,
    polls: Mutex<Vec<Poll>>,
}

/// A request that waits for an eventfd.
#[derive(Debug)]
struct Poll {
    data: u64,
    waits_for: OwnedFd,
    /// Counts the event when it is in the ring.
    done: OwnedFd,
}

/// A ring that was set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// What tells it from others.
    pub inode: u64,
    /// The index of its context.
    pub index: u32,
    /// Its length in bytes.
    pub length: u64,
}

/// The outcome of an `io_destroy`.
#[derive(Clone, Debug)]
pub struct Destroyed {
    /// What it answered.
    pub answer: Result<(), Error>,
    /// What was mapped then. What was left of the ring is unmapped by now.
    pub pages: Vec<Page>,
    /// The outcome of moving the first page that was left.
    pub leftover: Option<Leftover>,
}

/// The outcome of moving a page of a ring whose context is gone.
#[derive(Clone, Debug)]
pub struct Leftover {
    /// What `mremap` answered.
    pub answer: Result<u64, Error>,
    /// What was mapped then.
    pub pages: Vec<Page>,
}

impl Arena {
    /// Takes an empty stretch of address space.
    ///
    /// # Errors
    ///
    /// If there is none, if there is an arena already, or if this machine does not support it.
    pub fn new() -> Result<Self, Skip> {
        if !cfg!(all(target_pointer_width = "64", target_endian = "little")) {
            return Err(Skip::Machine);
        }
        // SAFETY: no memory is involved.
        if unsafe { libc::sysconf(libc::_SC_PAGESIZE) } != PAGE_SIZE as _ {
            return Err(Skip::Machine);
        }
        let zero = File::open("/dev/zero").map_err(|_| Skip::Machine)?;
        if TAKEN.swap(true, Acquire) {
            return Err(Skip::NoArena);
        }
        let length = (PAGES * PAGE_SIZE) as usize;
        let is_free = |base: &u64| {
            let base = *base as usize;
            // SAFETY: it is the mapping that was made just now.
            sys::mmap_shared(base, length).is_ok() && unsafe { sys::munmap(base, length) }.is_ok()
        };
        let Some(base) = BASES.into_iter().find(is_free) else {
            TAKEN.store(false, Release);
            return Err(Skip::NoArena);
        };
        Ok(Self {
            base,
            zero,
            contexts: Mutex::default(),
            polls: Mutex::default(),
        })
    }

    /// The address of a range that is inside.
    fn inside(&self, at: u64, length: u64) -> usize {
        let end = at.checked_add(length);
        assert!(
            end.is_some_and(|end| end <= PAGES * PAGE_SIZE),
            "{at:#x} and {length:#x} bytes on: that is not in the arena"
        );
        (self.base + at) as usize
    }

    /// `io_setup`, and a move to `at` before anything else can happen to the ring.
    ///
    /// # Errors
    ///
    /// The reason why there is no ring, or why it cannot move.
    pub fn setup(&self, requests: u32, at: u64) -> Result<Ring, Skip> {
        let refused = |call| move |error| Skip::Refused { call, error };
        let id = sys::io_setup(requests).map_err(refused("io_setup"))?;
        let Some((Object::Ring { inode }, length)) = maps::area(id as u64) else {
            return Err(Skip::NoRing);
        };
        // SAFETY: `maps` says that a ring is there, and it is new.
        let (index, magic) = unsafe { (sys::load(id), sys::load(id + 16)) };
        if magic != MAGIC {
            return Err(Skip::NoRing);
        }

        let (to, bytes) = (self.inside(at, length), length as usize);
        let flags = MREMAP_MAYMOVE | MREMAP_FIXED;
        // SAFETY: the ring is new, and the arena is ours.
        if let Err(error) = unsafe { sys::mremap(id, bytes, bytes, flags, to) } {
            // SAFETY: the ring is where it was, and nobody else has heard of it.
            let _ = unsafe { sys::io_destroy(id) };
            return Err(refused("mremap")(error));
        }
        let mut contexts = lock(&self.contexts);
        if contexts.len() <= index as usize {
            contexts.resize(index as usize + 1, None);
        }
        contexts[index as usize] = Some(inode);
        Ok(Ring {
            inode,
            index,
            length,
        })
    }

    /// `mremap`
    ///
    /// # Errors
    ///
    /// What it answers.
    ///
    /// # Panics
    ///
    /// Also if it might move something to a place that the kernel chooses: if other memory than a ring is to
    /// grow, or to be left behind.
    pub fn mremap(
        &self,
        old: u64,
        old_length: u64,
        new_length: u64,
        flags: u32,
        new: u64,
    ) -> Result<u64, Error> {
        let from = self.inside(old, old_length);
        let to = match flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) {
            0 => from,
            _ => self.inside(new, new_length),
        };
        if new_length > old_length || flags & MREMAP_DONTUNMAP != 0 {
            let first = self.page(old);
            assert!(
                first.is_none_or(|page| matches!(page.object, Object::Ring { .. })),
                "only a ring refuses to grow"
            );
        }
        // SAFETY: both places are inside, and so nobody else's.
        let moved =
            unsafe { sys::mremap(from, old_length as usize, new_length as usize, flags, to) }?;
        let at = (moved as u64).wrapping_sub(self.base);
        self.inside(at, 0);
        Ok(at)
    }

    /// `munmap`
    ///
    /// # Errors
    ///
    /// What it answers.
    pub fn munmap(&self, at: u64, length: u64) -> Result<(), Error> {
        // SAFETY: it is inside, and so nobody else's.
        unsafe { sys::munmap(self.inside(at, length), length as usize) }
    }

    /// `mmap` of shared memory, if nothing is there.
    ///
    /// # Errors
    ///
    /// What it answers.
    pub fn mmap(&self, at: u64, length: u64) -> Result<(), Error> {
        sys::mmap_shared(self.inside(at, length), length as usize)
    }

    /// `mprotect`
    ///
    /// # Errors
    ///
    /// What it answers.
    pub fn mprotect(&self, at: u64, length: u64, protection: Protection) -> Result<(), Error> {
        // SAFETY: it is inside, and so nobody else's.
        unsafe { sys::mprotect(self.inside(at, length), length as usize, protection) }
    }

    /// `io_submit` of a read that is complete at return.
    ///
    /// # Errors
    ///
    /// What it answers.
    pub fn submit_read(&self, id: u64, data: u64) -> Result<(), Error> {
        sys::io_submit_read(self.inside(id, 0), self.zero.as_fd(), data)
    }

    /// `io_submit` of a request that waits for [`ready`](Self::ready).
    ///
    /// # Errors
    ///
    /// What it answers.
    pub fn submit_poll(&self, id: u64, data: u64) -> Result<(), Error> {
        let (waits_for, done) = (sys::eventfd()?, sys::eventfd()?);
        let id = self.inside(id, 0);
        sys::io_submit_poll(id, waits_for.as_fd(), done.as_fd(), data)?;
        let poll = Poll {
            data,
            waits_for,
            done,
        };
        lock(&self.polls).push(poll);
        Ok(())
    }

    /// Lets such a request go on, and returns once its event is there: whether there was such a
    /// request.
    ///
    /// # Panics
    ///
    /// If the event takes too long.
    pub fn ready(&self, data: u64) -> bool {
        let mut polls = lock(&self.polls);
        let Some(place) = polls.iter().position(|poll| poll.data == data) else {
            return false;
        };
        let poll = polls.swap_remove(place);
        sys::eventfd_add_one(poll.waits_for.as_fd()).expect("an eventfd counts");
        assert!(
            sys::wait_until_readable(poll.done.as_fd(), DEADLINE_MS),
            "no event for {data:#x} after {DEADLINE_MS} ms"
        );
        true
    }

    /// `io_getevents`, without waiting; the data of the events.
    ///
    /// # Errors
    ///
    /// What it answers.
    pub fn getevents(&self, id: u64, most: usize) -> Result<Vec<u64>, Error> {
        sys::io_getevents(self.inside(id, 0), most)
    }

    /// A word, if it may be read.
    #[must_use]
    pub fn load(&self, at: u64) -> Option<u32> {
        let word = self.inside(at, 4);
        let readable = |page: &Page| {
            page.protection != Protection::None && !matches!(page.object, Object::Other { .. })
        };
        let may = self.page(at).is_some_and(|page| readable(&page));
        // SAFETY: it is mapped and readable. What destroyed contexts left is not mapped any more.
        may.then(|| unsafe { sys::load(word) })
    }

    /// Writes a word, if it may be written; returns whether it may.
    pub fn store(&self, at: u64, word: u32) -> bool {
        let place = self.inside(at, 4);
        let page = self.page(at);
        let may = page.is_some_and(|page| page.protection == Protection::ReadWrite);
        if may {
            // SAFETY: it is mapped and writable. What destroyed contexts left is not mapped any more.
            unsafe { sys::store(place, word) };
        }
        may
    }

    /// What is mapped at an address.
    #[must_use]
    pub fn page(&self, at: u64) -> Option<Page> {
        let number = at / PAGE_SIZE;
        self.pages().into_iter().find(|page| page.number == number)
    }

    /// All that is mapped, in order. Pages are counted from the beginning of the arena.
    ///
    /// # Panics
    ///
    /// If `/proc/self/maps` cannot be read.
    #[must_use]
    pub fn pages(&self) -> Vec<Page> {
        let end = self.base + PAGES * PAGE_SIZE;
        let mut pages = maps::pages(self.base, end).expect("/proc/self/maps can be read");
        for page in &mut pages {
            page.number -= self.base / PAGE_SIZE;
        }
        pages
    }

    /// `io_destroy`. What is left of the ring then is unmapped before anything else happens; the first page
    /// of it may be moved once before.
    ///
    /// # Panics
    ///
    /// Also if the kernel destroys a context that this arena does not know: a ring could be left then.
    pub fn destroy(&self, id: u64, leftover_to: Option<u64>) -> Destroyed {
        let index = self.load(id / PAGE_SIZE * PAGE_SIZE);
        // SAFETY: whatever it unmaps is inside, since all rings are.
        let answer = unsafe { sys::io_destroy(self.inside(id, 0)) };
        let pages = self.pages();
        if answer.is_err() {
            return Destroyed {
                answer,
                pages,
                leftover: None,
            };
        }
        let inode = index.and_then(|index| {
            let mut contexts = lock(&self.contexts);
            contexts.get_mut(index as usize)?.take()
        });
        let inode = inode.expect("io_destroy destroyed a context that is not known");
        let left = pages
            .iter()
            .find(|page| page.object == Object::Ring { inode });
        let leftover = left.zip(leftover_to).map(|(left, to)| {
            let flags = MREMAP_MAYMOVE | MREMAP_FIXED;
            let from = left.number * PAGE_SIZE;
            let answer = self.mremap(from, PAGE_SIZE, PAGE_SIZE, flags, to);
            Leftover {
                answer,
                pages: self.pages(),
            }
        });
        self.unmap_ring(inode);
        Destroyed {
            answer,
            pages,
            leftover,
        }
    }

    /// Unmaps what is mapped of a ring; returns how many pages it unmapped.
    pub(super) fn unmap_ring(&self, inode: u64) -> u64 {
        let mut unmapped = 0;
        for page in self.pages() {
            if page.object == (Object::Ring { inode }) {
                let gone = self.munmap(page.number * PAGE_SIZE, PAGE_SIZE);
                gone.expect("a page of a ring can be unmapped");
                unmapped += 1;
            }
        }
        unmapped
    }

    /// Forgets about a context that was destroyed without [`destroy`](Self::destroy).
    pub(super) fn forget(&self, ring: Ring) {
        let mut contexts = lock(&self.contexts);
        contexts[ring.index as usize] = None;
    }

    /// `io_destroy` while another thread moves the ring. The caller must unmap what is left of it before
    /// anything else happens.
    pub(super) fn destroy_in_a_race(&self, id: u64) -> Result<(), Error> {
        // SAFETY: whatever it unmaps is inside, since all rings are.
        unsafe { sys::io_destroy(self.inside(id, 0)) }
    }

    /// Unmaps everything.
    pub(super) fn clear(&self) {
        let gone = self.munmap(0, PAGES * PAGE_SIZE);
        gone.expect("an arena can be unmapped");
    }
}

impl Drop for Arena {
    /// Contexts live on until the process ends; nobody can reach them any more.
    fn drop(&mut self) {
        let _ = self.munmap(0, PAGES * PAGE_SIZE);
        TAKEN.store(false, Release);
    }
}
