//! Turns what was drawn into operations: the model knows where everything is.

use core::ops::Range;

use seqschedlock_sim::aio::remap::{
    MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE, Rules,
};

use crate::draw::{Draw, Piece, To};
use crate::expected::Expected;
use crate::system::{Op, Page, System as _};

/// Rings that may be alive at a time.
const RINGS: usize = 8;
/// A move to a place that is given.
pub const FIXED: u32 = MREMAP_MAYMOVE | MREMAP_FIXED;
/// The data of the first request that waits. No index of a context is that large.
const POLLS: u64 = 0x1_0000;

/// Where things may be put, and where they may end up: `io_destroy` unmaps as much as the ring had once.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    pub used: u64,
    pub all: u64,
}

impl Places {
    /// On a machine with this many CPUs rings can be larger.
    pub fn for_rings_of(rules: &Rules) -> Self {
        let largest = (u64::from(rules.possible_cpus) * 8 + 3)
            .div_ceil(128)
            .max(4);
        Self {
            used: 14 * largest,
            all: 16 * largest,
        }
    }
}

/// Turns what was drawn into operations.
pub struct Resolver {
    places: Places,
    /// Requests that wait, with the ring that their event is for.
    polls: Vec<(u64, usize)>,
    polls_so_far: u64,
    /// How often there was no ring to do anything with.
    idle: u64,
    /// How many requests each ring has had: so many that there is always room for another one.
    requests: Vec<u64>,
}

impl Resolver {
    pub fn new(places: Places) -> Self {
        Self {
            places,
            polls: Vec::new(),
            polls_so_far: 0,
            idle: 0,
            requests: Vec::new(),
        }
    }

    /// `None` if there is no such thing at the moment.
    pub fn resolve(&mut self, draw: Draw, now: &Expected) -> Option<Op> {
        match draw {
            Draw::Setup(requests, at) => self.setup(requests, at, now),
            _ if now.rings() == 0 || self.needs_a_ring(now) => self.setup(200, 0, now),
            Draw::Move(ring, piece, to) => {
                let range = self.range(ring, piece, now);
                self.mremap(&range, length(&range), FIXED, to, now)
            }
            Draw::Reunite(ring) => {
                let ring = pick(ring, now);
                let places = now.places_of(ring).into_iter();
                let pages: Vec<_> = places.filter_map(|place| now.page(place)).collect();
                // Where each page would have the first one of the ring.
                let home = |page: &Page| page.place.wrapping_sub(page.offset);
                let first = pages.first()?;
                let torn = pages.iter().find(|page| home(page) != home(first))?;
                let to = home(first).wrapping_add(torn.offset);
                let (from, length) = (torn.place..torn.place + 1, 1);
                let is_inside = to < self.places.used;
                is_inside.then(|| self.mremap(&from, length, FIXED, To::Place(to), now))?
            }
            Draw::Shrink(ring, piece, by) => {
                let range = self.range(ring, piece, now);
                let less = length(&range).checked_sub(by).filter(|less| *less != 0)?;
                self.mremap(&range, less, 0, To::Place(0), now)
            }
            Draw::ShrinkTo(ring, piece, by, to) => {
                let range = self.range(ring, piece, now);
                let less = length(&range).checked_sub(by).filter(|less| *less != 0)?;
                self.mremap(&range, less, FIXED, to, now)
            }
            Draw::Grow(ring, piece, by, flags, to) => {
                let range = self.range(ring, piece, now);
                self.only_ring(&range, now)?;
                self.mremap(&range, length(&range) + by, flags, to, now)
            }
            Draw::Stay(ring, piece, more, flags) => {
                let range = self.range(ring, piece, now);
                let range = range.start..range.end + more;
                self.mremap(&range, length(&range), flags, To::Place(0), now)
            }
            Draw::DontUnmap(ring, piece, flags, to) => {
                let range = self.range(ring, piece, now);
                self.only_ring(&range, now)?;
                self.mremap(&range, length(&range), flags | MREMAP_DONTUNMAP, to, now)
            }
            Draw::Odd(ring, piece, what, to) => {
                let range = self.range(ring, piece, now);
                let mut op = self.mremap(&range, length(&range), FIXED, to, now)?;
                if let Op::Mremap {
                    old_length,
                    new_length,
                    flags,
                    new,
                    ..
                } = &mut op
                {
                    match what {
                        0 => *flags = MREMAP_FIXED.into(),
                        1 => *new += 8,
                        2 => *new_length = 0,
                        // Nothing odd at all: lengths are rounded up.
                        _ => (*old_length, *new_length) = (*old_length - 1, *new_length - 4095),
                    }
                }
                Some(op)
            }
            Draw::Munmap(ring, piece) => {
                let range = self.range(ring, piece, now);
                Some(Op::Munmap {
                    at: bytes(range.start),
                    length: bytes(length(&range)),
                })
            }
            Draw::Mmap(at, pages) => {
                let at = at % (self.places.used - pages);
                Some(Op::Mmap {
                    at: bytes(at),
                    length: bytes(pages),
                })
            }
            Draw::Fill(ring) => {
                let ring = pick(ring, now);
                let first = now.id_of(ring)? / PAGE_SIZE;
                let mut places = first..first + now.length_of(ring);
                let hole = places.find(|place| now.is_free(*place..*place + 1))?;
                let is_inside = hole < self.places.used;
                is_inside.then_some(Op::Mmap {
                    at: bytes(hole),
                    length: bytes(1),
                })
            }
            Draw::Mprotect(ring, piece, protection) => {
                let range = self.range(ring, piece, now);
                let (at, length) = (bytes(range.start), bytes(length(&range)));
                Some(Op::Mprotect {
                    at,
                    length,
                    protection,
                })
            }
            Draw::Read(ring, data, count) => {
                let id = self.id(pick(ring, now), now);
                if let Some(found) = now.finds(id) {
                    self.request(found, count, now)?;
                }
                Some(Op::Read { id, data, count })
            }
            Draw::Poll(ring) => {
                let id = self.id(pick(ring, now), now);
                let data = POLLS + self.polls_so_far;
                self.polls_so_far += 1;
                if let Some(found) = now.finds(id) {
                    self.request(found, 1, now)?;
                    self.polls.push((data, found));
                }
                Some(Op::Poll { id, data })
            }
            Draw::Ready(which) => {
                self.polls.retain(|(_, ring)| now.id_of(*ring).is_some());
                let place = which.checked_rem(self.polls.len())?;
                let (data, _) = self.polls.swap_remove(place);
                Some(Op::Ready { data })
            }
            Draw::Getevents(ring, most) => Some(Op::Getevents {
                id: self.id(pick(ring, now), now),
                most,
            }),
            Draw::StoreId(ring, word) => {
                let first = *now.places_of(pick(ring, now)).first()?;
                Some(Op::Store {
                    at: bytes(first),
                    word,
                })
            }
            Draw::StoreHead(ring, word) => {
                let first = *now.places_of(pick(ring, now)).first()?;
                let is_header = now.page(first).is_some_and(|page| page.offset == 0);
                is_header.then_some(Op::Store {
                    at: bytes(first) + 8,
                    word,
                })
            }
            Draw::StoreAnywhere(at, word) => Some(Op::Store {
                at: bytes(at % self.places.used),
                word,
            }),
            Draw::Destroy(ring, to) => {
                let id = self.id(pick(ring, now), now);
                Some(Op::Destroy {
                    id,
                    leftover_to: bytes(self.place(onto(to), 1, now)),
                })
            }
            Draw::DestroyAnywhere(at, to) => {
                let id = bytes(at % self.places.used);
                Some(Op::Destroy {
                    id,
                    leftover_to: bytes(self.place(onto(to), 1, now)),
                })
            }
        }
    }

    /// Without any ring most operations have nothing to do. A few may find that out.
    fn needs_a_ring(&mut self, now: &Expected) -> bool {
        let nothing_there = (0..now.rings()).all(|ring| now.places_of(ring).is_empty());
        self.idle += u64::from(nothing_there);
        nothing_there && self.idle % 4 != 0
    }

    /// Into the first hole that is large enough, from some place on.
    fn setup(&mut self, requests: u32, at: u64, now: &Expected) -> Option<Op> {
        if now.contexts() >= RINGS {
            return None;
        }
        let largest = self.places.all - self.places.used;
        let room = self.places.used - largest;
        let places = (0..room).map(|place| (place + at % room) % room);
        let mut holes = places.filter(|place| now.is_free(*place..place + largest));
        let at = bytes(holes.next()?);
        Some(Op::Setup {
            requests: requests.into(),
            at,
        })
    }

    /// Where a piece is, in pages. All of it is inside.
    fn range(&self, ring: usize, piece: Piece, now: &Expected) -> Range<u64> {
        let ring = pick(ring, now);
        let pages = now.length_of(ring);
        let there = now.places_of(ring);
        let id = now.id_of(ring).unwrap_or(0) / PAGE_SIZE;
        let (first, last) = match (there.first(), there.last()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (id, id + pages - 1),
        };
        let range = match piece {
            Piece::Whole => first..first + pages,
            Piece::Span => first..last + 1,
            Piece::First(pages) => first..first + pages,
            Piece::Last(pages) => (last + 1).saturating_sub(pages).max(first)..last + 1,
            Piece::Midst(skip, pages) => first + skip..first + skip + pages,
            Piece::WithBefore(pages) => first.saturating_sub(1)..first + pages + 1,
            Piece::WithBehind(more) => first..first + pages + more,
            Piece::Anywhere(place, pages) => {
                let place = place % (self.places.used - pages);
                place..place + pages
            }
        };
        let start = range.start.min(self.places.used - 1);
        start..range.end.clamp(start + 1, self.places.used)
    }

    /// A place for so many pages. All of it is inside.
    fn place(&self, to: To, pages: u64, now: &Expected) -> u64 {
        let most = self.places.used - pages.min(self.places.used);
        match to {
            To::Place(place) => place % (most + 1),
            To::Ring(ring) if now.rings() != 0 => {
                let first = now.places_of(pick(ring, now)).first().copied();
                first.unwrap_or(0).min(most)
            }
            To::Onto(which) if !now.pages().is_empty() => {
                let pages = now.pages();
                pages[which % pages.len()].place.min(most)
            }
            To::Ring(_) | To::Onto(_) => 0,
        }
    }

    fn mremap(
        &self,
        range: &Range<u64>,
        new_length: u64,
        flags: u32,
        to: To,
        now: &Expected,
    ) -> Option<Op> {
        Some(Op::Mremap {
            old: bytes(range.start),
            old_length: bytes(length(range)),
            new_length: bytes(new_length),
            flags: flags.into(),
            new: bytes(self.place(to, new_length, now)),
        })
    }

    /// Other memory than rings would grow, and to a place that the kernel chooses.
    fn only_ring(&self, range: &Range<u64>, now: &Expected) -> Option<()> {
        let first = now.page(range.start);
        first.is_none_or(|page| page.ring).then_some(())
    }

    /// The id of a ring, or where it is if it has none.
    fn id(&self, ring: usize, now: &Expected) -> u64 {
        let first = now.places_of(ring).first().map(|place| bytes(*place));
        now.id_of(ring).or(first).unwrap_or(0)
    }

    /// Counts requests of a ring, if there is room for them.
    ///
    /// The kernel hands out room to its CPUs in portions, and says `EAGAIN` when they are used up. Half of
    /// the ring is always available.
    fn request(&mut self, ring: usize, count: u64, now: &Expected) -> Option<()> {
        self.requests.resize(now.rings(), 0);
        let requests = &mut self.requests[ring];
        let room = now.length_of(ring) * 64 - 1;
        (*requests + count < room).then(|| *requests += count)
    }
}

/// Mostly onto something.
fn onto(to: To) -> To {
    match to {
        To::Place(which) if which % 4 != 0 => To::Onto((which / 4) as usize),
        other => other,
    }
}

/// Mostly one of the rings that are there.
fn pick(ring: usize, now: &Expected) -> usize {
    let all: Vec<usize> = (0..now.rings()).collect();
    let is_there = |ring: &usize| !now.places_of(*ring).is_empty();
    let there: Vec<usize> = all.iter().copied().filter(is_there).collect();
    let from = if there.is_empty() || ring % 16 == 0 {
        &all
    } else {
        &there
    };
    from[ring / 16 % from.len()]
}

fn bytes(pages: u64) -> u64 {
    pages * PAGE_SIZE
}

fn length(range: &Range<u64>) -> u64 {
    range.end - range.start
}
