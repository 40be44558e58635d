//! What is mapped where: the pages of a process, and the edges of the areas that they form.

use core::ops::Range;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::ring_file::RingFile;
use crate::aio::errno::Errno;

/// What user space may do with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protection {
    /// `PROT_NONE`
    None,
    /// `PROT_READ`
    Read,
    /// `PROT_READ | PROT_WRITE`
    ReadWrite,
}

/// What a page belongs to.
#[derive(Clone, Debug)]
pub(super) enum Object {
    Ring(Arc<RingFile>),
    /// Shared memory of user space's own, all zero but for the first word of each page.
    Innocent {
        number: u64,
        first_word: u32,
    },
}

impl Object {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ring(one), Self::Ring(other)) => Arc::ptr_eq(one, other),
            (Self::Innocent { number: one, .. }, Self::Innocent { number: other, .. }) => {
                one == other
            }
            _ => false,
        }
    }
}

/// A page that is mapped.
#[derive(Clone, Debug)]
pub(super) struct Mapped {
    pub(super) object: Object,
    /// Which page of the object.
    pub(super) offset: u64,
    pub(super) protection: Protection,
    /// An area begins here, whatever is before it.
    edge: bool,
}

impl Mapped {
    /// User space reads a word of it.
    pub(super) fn load(&self, index: u64) -> Option<u32> {
        match (&self.object, self.protection) {
            (_, Protection::None) => None,
            (Object::Ring(file), _) => file.load(self.offset, index),
            (Object::Innocent { first_word, .. }, _) => (index == 0).then_some(*first_word),
        }
    }

    /// User space writes a word of it; tells whether it could.
    pub(super) fn store(&mut self, index: u64, word: u32) -> bool {
        match (&mut self.object, self.protection) {
            (Object::Ring(file), Protection::ReadWrite) => file.store(self.offset, index, word),
            (Object::Innocent { first_word, .. }, Protection::ReadWrite) if index == 0 => {
                *first_word = word;
                true
            }
            _ => false,
        }
    }

    /// The first word, without an access to it.
    pub(super) fn first_word(&self) -> Option<u32> {
        match (&self.object, self.protection) {
            (_, Protection::None) => None,
            (Object::Ring(file), _) => file.word(self.offset, 0),
            (Object::Innocent { first_word, .. }, _) => Some(*first_word),
        }
    }

    pub(super) fn ring(&self) -> Option<&Arc<RingFile>> {
        match &self.object {
            Object::Ring(file) => Some(file),
            Object::Innocent { .. } => None,
        }
    }
}

/// Page table and list of areas in one. Everything counts in pages.
#[derive(Debug)]
pub(super) struct Areas {
    pages: BTreeMap<u64, Mapped>,
    /// Ring areas have edges where they were split once. Areas of other memory merge when they fit.
    keeps_edges: bool,
}

impl Areas {
    pub(super) fn new(keeps_edges: bool) -> Self {
        Self {
            pages: BTreeMap::new(),
            keeps_edges,
        }
    }

    pub(super) fn get(&self, page: u64) -> Option<&Mapped> {
        self.pages.get(&page)
    }

    pub(super) fn get_mut(&mut self, page: u64) -> Option<&mut Mapped> {
        self.pages.get_mut(&page)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Mapped)> {
        self.pages.iter().map(|(page, mapped)| (*page, mapped))
    }

    pub(super) fn is_free(&self, range: &Range<u64>) -> bool {
        self.pages.range(range.clone()).next().is_none()
    }

    /// Maps an object from its first page on. Nothing may be there.
    pub(super) fn map(&mut self, range: Range<u64>, object: &Object) {
        debug_assert!(self.is_free(&range));
        for (offset, page) in range.enumerate() {
            let mapped = Mapped {
                object: object.clone(),
                offset: offset as u64,
                protection: Protection::ReadWrite,
                edge: offset == 0,
            };
            self.pages.insert(page, mapped);
        }
    }

    /// Removes what is mapped in a range, and returns it with where it was. What follows the range becomes an
    /// area of its own.
    pub(super) fn unmap(&mut self, range: Range<u64>) -> Vec<(u64, Mapped)> {
        let there: Vec<u64> = self
            .pages
            .range(range.clone())
            .map(|(page, _)| *page)
            .collect();
        if !there.is_empty() {
            self.split_at(range.end);
        }
        let remove = |page| self.pages.remove(&page).map(|mapped| (page, mapped));
        there.into_iter().filter_map(remove).collect()
    }

    /// An area ends before this page.
    pub(super) fn split_at(&mut self, page: u64) {
        if let Some(mapped) = self.pages.get_mut(&page) {
            mapped.edge = true;
        }
    }

    /// Removes the ptes of a range. The area itself stays.
    pub(super) fn lift(&mut self, range: Range<u64>) -> Vec<Mapped> {
        range.filter_map(|page| self.pages.remove(&page)).collect()
    }

    /// Puts ptes back where they were.
    pub(super) fn put_back(&mut self, start: u64, lifted: Vec<Mapped>) {
        self.pages.extend((start..).zip(lifted));
    }

    /// Puts ptes into an area of their own.
    pub(super) fn put(&mut self, start: u64, mut lifted: Vec<Mapped>) {
        if let Some(first) = lifted.first_mut() {
            first.edge = true;
        }
        self.put_back(start, lifted);
    }

    /// The areas in a range, in order, each cut to the range.
    pub(super) fn pieces(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let mut pieces: Vec<Range<u64>> = Vec::new();
        for page in self.pages.range(range).map(|(page, _)| *page) {
            match pieces.last_mut() {
                Some(piece) if self.continues(page) => piece.end = page + 1,
                _ => pieces.push(page..page + 1),
            }
        }
        pieces
    }

    /// The end of the area that contains `page`.
    pub(super) fn area_end(&self, page: u64) -> u64 {
        (page + 1..)
            .find(|page| !self.continues(*page))
            .unwrap_or(u64::MAX)
    }

    /// Whether a page belongs to the same area as the one before it.
    fn continues(&self, page: u64) -> bool {
        let before = page
            .checked_sub(1)
            .and_then(|before| self.pages.get(&before));
        let (Some(before), Some(this)) = (before, self.pages.get(&page)) else {
            return false;
        };
        let split = this.edge && self.keeps_edges && this.ring().is_some();
        !split
            && before.object.is(&this.object)
            && before.offset + 1 == this.offset
            && before.protection == this.protection
    }

    /// The rings with pages in a range.
    pub(super) fn rings_in(&self, range: Range<u64>) -> impl Iterator<Item = &Arc<RingFile>> {
        self.pages
            .range(range)
            .filter_map(|(_, mapped)| mapped.ring())
    }

    /// The pages that `copies` says are copied.
    pub(super) fn copy(&self, copies: impl Fn(&Mapped) -> bool) -> Self {
        let copied = self.iter().filter(|(_, mapped)| copies(mapped));
        Self {
            pages: copied
                .map(|(page, mapped)| (page, mapped.clone()))
                .collect(),
            keeps_edges: self.keeps_edges,
        }
    }

    /// `mprotect`: area by area, up to the first hole.
    pub(super) fn protect(
        &mut self,
        range: Range<u64>,
        protection: Protection,
    ) -> Result<(), Errno> {
        let mut next = range.start;
        for piece in self.pieces(range.clone()) {
            if piece.start != next {
                break;
            }
            next = piece.end;
            if self.pages[&piece.start].protection == protection {
                continue;
            }
            self.split_at(piece.start);
            self.split_at(piece.end);
            for page in piece {
                if let Some(mapped) = self.pages.get_mut(&page) {
                    mapped.protection = protection;
                }
            }
        }
        match next == range.end {
            true => Ok(()),
            false => Err(Errno::NoMemory),
        }
    }
}
