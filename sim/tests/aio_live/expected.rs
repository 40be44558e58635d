//! The model as a system to compare with.

use core::ops::Range;

use seqschedlock_sim::aio::Errno;
use seqschedlock_sim::aio::remap::{
    MREMAP_FIXED, MREMAP_MAYMOVE, Mm, PAGE_SIZE, Protection, Request, Rules,
};

use crate::system::{Answer, Destroyed, Page, System};

/// Where the arena is in the model.
const BASE: u64 = 0x1000_0000_0000;

pub struct Expected {
    pub process: Mm,
    /// The rings, and how many pages each has, in the order of their making.
    rings: Vec<(u64, u64)>,
    memory: Vec<u64>,
}

impl Expected {
    pub fn new(rules: Rules) -> Self {
        Self {
            process: Mm::new(rules),
            rings: Vec::new(),
            memory: Vec::new(),
        }
    }

    /// How many rings there have been.
    pub fn rings(&self) -> usize {
        self.rings.len()
    }

    /// How many contexts there are.
    pub fn contexts(&self) -> usize {
        self.process.snapshot().contexts.len()
    }

    /// How many pages the ring had once.
    pub fn length_of(&self, ring: usize) -> u64 {
        self.rings[ring].1
    }

    /// Where its context says that the ring is, if it has one.
    pub fn id_of(&self, ring: usize) -> Option<u64> {
        let contexts = self.process.snapshot().contexts;
        contexts
            .get(&self.rings[ring].0)
            .map(|(user_id, _)| user_id - BASE)
    }

    /// The ring whose context has that id.
    pub fn finds(&self, id: u64) -> Option<usize> {
        let ring = self.process.lookup(BASE + id)?.ring();
        self.rings.iter().position(|(number, _)| *number == ring)
    }

    /// The places of its pages.
    pub fn places_of(&self, ring: usize) -> Vec<u64> {
        let ours = |page: &Page| page.ring && page.number == ring;
        self.pages()
            .into_iter()
            .filter(ours)
            .map(|page| page.place)
            .collect()
    }

    pub fn page(&self, place: u64) -> Option<Page> {
        self.pages().into_iter().find(|page| page.place == place)
    }

    pub fn is_free(&self, places: Range<u64>) -> bool {
        !self.pages().iter().any(|page| places.contains(&page.place))
    }
}

fn name<T>(answer: Result<T, Errno>) -> Answer<T> {
    answer.map_err(|errno| errno.name().to_owned())
}

impl System for Expected {
    fn setup(&mut self, requests: u32, at: u64) -> Answer {
        let id = name(self.process.io_setup(requests))?;
        let user = self.process.lookup(id).expect("a new context has its id");
        let ring = user.ring();
        drop(user);
        let index = self.process.load(id).expect("a new ring can be read");
        let pages = self.process.snapshot().pages;
        let pages = pages.values().filter(|page| page.number == ring).count() as u64;
        let flags = MREMAP_MAYMOVE | MREMAP_FIXED;
        let length = pages * PAGE_SIZE;
        name(self.process.mremap(id, length, length, flags, BASE + at))?;
        self.rings.push((ring, pages));
        Ok(index.into())
    }

    fn mremap(&mut self, old: u64, [from, to]: [u64; 2], flags: u32, new: u64) -> Answer {
        let answer = self.process.mremap(BASE + old, from, to, flags, BASE + new);
        name(answer).map(|at| at - BASE)
    }

    fn munmap(&mut self, at: u64, length: u64) -> Answer<()> {
        name(self.process.munmap(BASE + at, length))
    }

    fn mmap(&mut self, at: u64, length: u64) -> Answer<()> {
        name(self.process.mmap(BASE + at, length))?;
        let pages = self.process.snapshot().pages;
        self.memory.push(pages[&(BASE + at)].number);
        Ok(())
    }

    fn mprotect(&mut self, at: u64, length: u64, protection: Protection) -> Answer<()> {
        name(self.process.mprotect(BASE + at, length, protection))
    }

    fn read(&mut self, id: u64, data: u64) -> Answer<()> {
        name(self.process.io_submit(BASE + id, Request::Read { data }))
    }

    fn poll(&mut self, id: u64, data: u64) -> Answer<()> {
        name(self.process.io_submit(BASE + id, Request::Poll { data }))
    }

    fn ready(&mut self, data: u64) -> bool {
        self.process.ready(data)
    }

    fn getevents(&mut self, id: u64, most: usize) -> Answer<Vec<u64>> {
        name(self.process.io_getevents(BASE + id, 0, most as i64))
    }

    fn store(&mut self, at: u64, word: u32) -> bool {
        self.process.store(BASE + at, word)
    }

    fn load(&self, at: u64) -> Option<u32> {
        self.process.load(BASE + at)
    }

    fn destroy(&mut self, id: u64, leftover_to: u64) -> Destroyed {
        let ring = self.finds(id);
        let answer = name(self.process.io_destroy(BASE + id));
        let pages = self.pages();
        let mut leftover = None;
        if answer.is_ok() {
            let number = ring.expect("what was destroyed was there");
            if let Some(first) = self.places_of(number).first() {
                let flags = MREMAP_MAYMOVE | MREMAP_FIXED;
                let lengths = [PAGE_SIZE; 2];
                let answer = self.mremap(first * PAGE_SIZE, lengths, flags, leftover_to);
                leftover = Some((answer, self.pages()));
            }
            for place in self.places_of(number) {
                self.munmap(place * PAGE_SIZE, PAGE_SIZE)
                    .expect("a page can be unmapped");
            }
        }
        Destroyed {
            answer,
            pages,
            leftover,
        }
    }

    fn pages(&self) -> Vec<Page> {
        let pages = self.process.snapshot().pages.into_iter();
        let seen = pages.map(|(at, page)| {
            let place = match page.ring {
                true => self.rings.iter().position(|(ring, _)| *ring == page.number),
                false => self.memory.iter().position(|number| *number == page.number),
            };
            Page {
                place: (at - BASE) / PAGE_SIZE,
                ring: page.ring,
                number: place.expect("everything was made here"),
                offset: page.offset,
                protection: page.protection,
            }
        });
        seen.collect()
    }
}
