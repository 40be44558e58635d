//! The ring as a file: its words, its events, and its history.

use core::fmt;
use std::sync::{Arc, OnceLock, Weak};

use super::census::Census;
use super::kioctx::KioCtx;
use crate::aio::errno::Errno;
use crate::locks::lock;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Bytes of a page.
pub const PAGE_SIZE: u64 = 4096;
/// Bytes of an event, and of the header, which takes the place of one.
const SLOT: u64 = 32;
/// Slots of a page.
const SLOTS_PER_PAGE: u64 = PAGE_SIZE / SLOT;
/// The most that a context may have, in slots.
const MAX_SLOTS: u32 = 0x1000_0000 / SLOT as u32;

/// How large a ring is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) pages: u64,
    /// How many events have room: `nr` in the header.
    pub(super) nr: u32,
}

impl Geometry {
    /// The ring for this many requests.
    pub(super) fn of(requests: u32, possible_cpus: u32, aio_max_nr: u64) -> Result<Self, Errno> {
        let events = requests.max(possible_cpus * 4).wrapping_mul(2);
        if events > MAX_SLOTS {
            return Err(Errno::Invalid);
        }
        if events == 0 || u64::from(requests) > aio_max_nr {
            return Err(Errno::Again);
        }
        let pages = (u64::from(events) + 3).div_ceil(SLOTS_PER_PAGE);
        Ok(Self {
            pages,
            nr: (pages * SLOTS_PER_PAGE - 1) as u32,
        })
    }
}

/// A word of the header, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Word {
    Id = 0,
    Nr = 1,
    Head = 2,
    Tail = 3,
}

/// The file behind the areas of one ring.
pub(super) struct RingFile {
    /// What tells rings apart.
    pub(super) inode: u64,
    pub(super) pages: u64,
    /// How many events have room. The kernel never looks at the word in the header.
    nr: u32,
    memory: Mutex<Memory>,
    pub(super) private_data: OnceLock<Weak<KioCtx>>,
    pub(super) history: History,
    owner: Arc<Census>,
}

/// What user space can write to, and what the kernel trusts instead.
#[derive(Debug, Default)]
struct Memory {
    header: [u32; 4],
    /// The data of the events; those that were never written are not there.
    events: Vec<u64>,
    tail: u32,
    /// How many requests there is room for.
    room: u32,
    /// Events that were written and whose room has not been given back: they may be unread.
    completed: u32,
}

/// What only the checker looks at.
#[derive(Debug)]
pub(super) struct History {
    /// Where the piece that was moved last lies; at first, the whole ring.
    pub(super) moved_to: AtomicU64,
    /// User space has moved it whole, if at all, and done nothing else to its areas or its id.
    pub(super) intact: AtomicBool,
    /// Its context was freed.
    pub(super) freed: AtomicBool,
}

impl RingFile {
    pub(super) fn new(inode: u64, geometry: Geometry, owner: Arc<Census>) -> Self {
        let mut memory = Memory::default();
        memory.header[Word::Id as usize] = u32::MAX;
        memory.header[Word::Nr as usize] = geometry.nr;
        memory.room = geometry.nr - 1;
        Self {
            inode,
            pages: geometry.pages,
            nr: geometry.nr,
            memory: Mutex::new(memory),
            private_data: OnceLock::new(),
            history: History {
                moved_to: AtomicU64::new(0),
                intact: AtomicBool::new(true),
                freed: AtomicBool::new(false),
            },
            owner,
        }
    }

    /// Whether its context is, or was, of that process.
    pub(super) fn is_of(&self, process: &Arc<Census>) -> bool {
        Arc::ptr_eq(&self.owner, process)
    }

    pub(super) fn spoil(&self) {
        self.history.intact.store(false, Relaxed);
    }

    pub(super) fn intact(&self) -> bool {
        self.history.intact.load(Relaxed)
    }

    /// User space reads the word at `index` of a page. The model has those of the header, and the first one
    /// of each page behind it.
    pub(super) fn load(&self, page: u64, index: u64) -> Option<u32> {
        self.touch();
        self.word(page, index)
    }

    /// The same word without an access to it.
    pub(super) fn word(&self, page: u64, index: u64) -> Option<u32> {
        let memory = lock(&self.memory);
        match (page, index) {
            (0, index) => memory.header.get(index as usize).copied(),
            (_, 0) => {
                let event = memory.events.get(first_event(page)).copied();
                Some(event.unwrap_or(0) as u32)
            }
            _ => None,
        }
    }

    /// User space writes such a word; returns whether there is one.
    pub(super) fn store(&self, page: u64, index: u64, word: u32) -> bool {
        self.touch();
        if (page, index) == (0, Word::Id as u64) {
            self.spoil();
        }
        let mut memory = lock(&self.memory);
        match (page, index) {
            (0, index) => match memory.header.get_mut(index as usize) {
                Some(there) => *there = word,
                None => return false,
            },
            (_, 0) => {
                let event = memory.event_mut(first_event(page));
                *event = *event & !u64::from(u32::MAX) | u64::from(word);
            }
            _ => return false,
        }
        true
    }

    /// The kernel says under which index of the table the context is found.
    pub(super) fn set_id(&self, id: u32) {
        lock(&self.memory).header[Word::Id as usize] = id;
    }

    /// Puts an event behind the tail that the kernel trusts, and publishes that tail.
    pub(super) fn complete(&self, data: u64) {
        let mut memory = lock(&self.memory);
        let slot = memory.tail;
        *memory.event_mut(slot as usize) = data;
        memory.tail = (slot + 1) % self.nr;
        memory.header[Word::Tail as usize] = memory.tail;
        memory.completed += 1;
        if memory.completed > 1 {
            memory.give_back(self.nr);
        }
    }

    /// Takes at most `most` events from the head. User space may have changed both ends.
    pub(super) fn read(&self, most: usize) -> Vec<u64> {
        let mut memory = lock(&self.memory);
        let [_, _, head, tail] = memory.header;
        if head == tail {
            return Vec::new();
        }
        let (mut head, tail) = (head % self.nr, tail % self.nr);
        let mut events = Vec::new();
        while events.len() < most && head != tail {
            events.push(memory.events.get(head as usize).copied().unwrap_or(0));
            head = (head + 1) % self.nr;
        }
        memory.header[Word::Head as usize] = head;
        events
    }

    /// Takes room for the event of a request, if there is any.
    pub(super) fn take_room(&self) -> bool {
        let mut memory = lock(&self.memory);
        if memory.room == 0 {
            memory.give_back(self.nr);
        }
        let taken = memory.room.checked_sub(1);
        memory.room = taken.unwrap_or(0);
        taken.is_some()
    }

    /// User space comes to one of its pages.
    fn touch(&self) {
        if self.history.freed.load(Relaxed) {
            self.owner.leftovers_touched.add(1);
        }
    }
}

impl Memory {
    /// Gives back the room of events that have been read, if the head can be believed.
    fn give_back(&mut self, nr: u32) {
        let head = self.header[Word::Head as usize] % nr;
        let unread = (self.tail + nr - head) % nr;
        let read = self.completed.saturating_sub(unread);
        self.completed -= read;
        self.room += read;
    }

    fn event_mut(&mut self, index: usize) -> &mut u64 {
        if self.events.len() <= index {
            self.events.resize(index + 1, 0);
        }
        &mut self.events[index]
    }
}

/// Which event a page behind the first begins with.
fn first_event(page: u64) -> usize {
    (page * SLOTS_PER_PAGE - 1) as usize
}

impl fmt::Debug for RingFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingFile")
            .field("inode", &self.inode)
            .field("pages", &self.pages)
            .field("history", &self.history)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(requests: u32) -> Result<(u64, u32), Errno> {
        Geometry::of(requests, 2, 65_536).map(|geometry| (geometry.pages, geometry.nr))
    }

    #[test]
    fn a_ring_has_whole_pages_and_at_least_four_requests_of_each_cpu() {
        assert_eq!(pages(1), Ok((1, 127)));
        assert_eq!(pages(62), Ok((1, 127)));
        assert_eq!(pages(63), Ok((2, 255)));
        assert_eq!(pages(126), Ok((2, 255)));
        assert_eq!(pages(200), Ok((4, 511)));
        assert_eq!(pages(1000), Ok((16, 2047)));
        assert_eq!(pages(2000), Ok((32, 4095)));
        assert_eq!(Geometry::of(1, 64, 65_536).unwrap().pages, 5);
    }

    #[test]
    fn a_ring_that_is_too_large_is_refused() {
        assert_eq!(pages(65_537), Err(Errno::Again));
        assert_eq!(pages(0x40_0001), Err(Errno::Invalid));
        assert_eq!(pages(0x8000_0000), Err(Errno::Again), "twice that is 0");
    }
}
