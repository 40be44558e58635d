//! The kernel as a system to compare with. Only ever in a process of its own.

use core::fmt::Display;

use seqschedlock_sim::aio::remap::Protection;
use seqschedlock_sim::aio::remap::live::{self, Arena, Object};

use crate::system::{Answer, Destroyed, Page, System};

pub struct Real {
    arena: Arena,
    /// The inodes of the rings, in the order of their making.
    rings: Vec<u64>,
    memory: Vec<u64>,
}

impl Real {
    pub fn new() -> Result<Self, live::Skip> {
        Ok(Self {
            arena: Arena::new()?,
            rings: Vec::new(),
            memory: Vec::new(),
        })
    }

    fn seen(&self, pages: Vec<live::Page>) -> Vec<Page> {
        let place = |all: &[u64], inode| all.iter().position(|known| *known == inode);
        let seen = pages.into_iter().map(|page| {
            let (ring, number) = match page.object {
                Object::Ring { inode } => (true, place(&self.rings, inode)),
                Object::Innocent { inode } => (false, place(&self.memory, inode)),
                Object::Other { line } => panic!("something else is in the arena: {line}"),
            };
            Page {
                place: page.number,
                ring,
                number: number.expect("everything in the arena was made here"),
                offset: page.offset,
                protection: page.protection,
            }
        });
        seen.collect()
    }
}

fn name<T>(answer: Result<T, impl Display>) -> Answer<T> {
    answer.map_err(|error| error.to_string())
}

impl System for Real {
    fn setup(&mut self, requests: u32, at: u64) -> Answer {
        let ring = name(self.arena.setup(requests, at))?;
        self.rings.push(ring.inode);
        Ok(ring.index.into())
    }

    fn mremap(&mut self, old: u64, [from, to]: [u64; 2], flags: u32, new: u64) -> Answer {
        name(self.arena.mremap(old, from, to, flags, new))
    }

    fn munmap(&mut self, at: u64, length: u64) -> Answer<()> {
        name(self.arena.munmap(at, length))
    }

    fn mmap(&mut self, at: u64, length: u64) -> Answer<()> {
        name(self.arena.mmap(at, length))?;
        match self.arena.page(at).map(|page| page.object) {
            Some(Object::Innocent { inode }) => self.memory.push(inode),
            other => panic!("shared memory was mapped, and there is {other:?}"),
        }
        Ok(())
    }

    fn mprotect(&mut self, at: u64, length: u64, protection: Protection) -> Answer<()> {
        name(self.arena.mprotect(at, length, protection))
    }

    fn read(&mut self, id: u64, data: u64) -> Answer<()> {
        name(self.arena.submit_read(id, data))
    }

    fn poll(&mut self, id: u64, data: u64) -> Answer<()> {
        name(self.arena.submit_poll(id, data))
    }

    fn ready(&mut self, data: u64) -> bool {
        self.arena.ready(data)
    }

    fn getevents(&mut self, id: u64, most: usize) -> Answer<Vec<u64>> {
        name(self.arena.getevents(id, most))
    }

    fn store(&mut self, at: u64, word: u32) -> bool {
        self.arena.store(at, word)
    }

    fn load(&self, at: u64) -> Option<u32> {
        self.arena.load(at)
    }

    fn destroy(&mut self, id: u64, leftover_to: u64) -> Destroyed {
        let destroyed = self.arena.destroy(id, Some(leftover_to));
        Destroyed {
            answer: name(destroyed.answer),
            pages: self.seen(destroyed.pages),
            leftover: destroyed
                .leftover
                .map(|leftover| (name(leftover.answer), self.seen(leftover.pages))),
        }
    }

    fn pages(&self) -> Vec<Page> {
        self.seen(self.arena.pages())
    }
}
