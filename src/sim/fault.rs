//! The page fault: `do_no_page` of 2005, `do_fault` and `finish_fault` today, and the accesses of
//! user space that lead to it.

use std::time::Instant;

use super::VmFault;
use super::locks::read;
use super::mapping::Found;
use super::mm::{Mm, Pte, Vma};
use super::page::{PAGE_SIZE, PageRef};
use super::policy::{Policy, Refusal};
use crate::Conflict;

/// What a fault may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// After so many conflicts in a row the fault takes the page lock, which no invalidate can
    /// overtake. (Policies that lock the page anyway, or had no such way out, take no notice.)
    pub conflicts: u32,
    /// When to give up waiting: for write sections, for the page lock, for the policy's own lock.
    /// The store's I/O is not interrupted.
    pub deadline: Option<Instant>,
}

impl Patience {
    /// One conflict, no deadline.
    ///
    /// Waiting for a write section to end is rarely worth while when it sleeps: the page lock is
    /// held up by invalidates of *this* page only.
    pub const DEFAULT: Self = Self {
        conflicts: 1,
        deadline: None,
    };
}

impl Default for Patience {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How a fault went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faulted {
    /// The page had to be read from the store: `VM_FAULT_MAJOR`.
    pub major: bool,
    /// How often the policy said to look again.
    pub conflicts: u32,
    /// The fault ended under the page lock because of that.
    pub fell_back: bool,
}

impl<P: Policy> Mm<P> {
    /// Reads words through the mapping, as user space does: faults where nothing is mapped.
    ///
    /// The words lie within one page and are read at one moment: no unmapping comes between the
    /// look at the pte and the load. Returns how the last fault went, if there was one.
    ///
    /// # Errors
    ///
    /// Those of [`fault`](Self::fault).
    ///
    /// # Panics
    ///
    /// If `address` is not a multiple of 8, or the words reach into the next page.
    pub fn read(
        &self,
        address: u64,
        words: &mut [u64],
        patience: Patience,
    ) -> Result<Option<Faulted>, VmFault> {
        let mut faulted = None;
        while !self.peek(address, words) {
            faulted = Some(self.fault(address, patience)?);
        }
        Ok(faulted)
    }

    /// Reads words through the mapping if they are mapped: what the hardware does by itself.
    ///
    /// # Panics
    ///
    /// As [`read`](Self::read).
    pub fn peek(&self, address: u64, words: &mut [u64]) -> bool {
        let first = first_word(address, words.len());
        match self.page_table.lock().get(&page_number(address)) {
            Some(pte) => {
                for (position, word) in words.iter_mut().enumerate() {
                    *word = pte.page.load(first + position);
                }
                true
            }
            None => false,
        }
    }

    /// Sees to it that `address` is mapped: `handle_mm_fault`.
    ///
    /// # Errors
    ///
    /// [`VmFault::Segv`] where nothing is mapped, [`VmFault::Sigbus`] beyond the end of the file and
    /// where it cannot be read, [`VmFault::TimedOut`] at the deadline.
    pub fn fault(&self, address: u64, patience: Patience) -> Result<Faulted, VmFault> {
        let number = page_number(address);
        let areas = read(&self.areas);
        let (_, area) = areas.range(..=number).next_back().ok_or(VmFault::Segv)?;
        if number - area.range.start >= area.range.pages {
            return Err(VmFault::Segv);
        }
        do_no_page(area, number, patience)
    }
}

/// The page of an address.
fn page_number(address: u64) -> u64 {
    address / PAGE_SIZE as u64
}

/// The position of an address in its page, in words.
fn first_word(address: u64, words: usize) -> usize {
    let first = (address % PAGE_SIZE as u64) as usize;
    assert!(
        first % size_of::<u64>() == 0 && first + words * size_of::<u64>() <= PAGE_SIZE,
        "user space reads and writes whole words of one page"
    );
    first / size_of::<u64>()
}

/// A fault where no pte is: `do_no_page`.
fn do_no_page<P: Policy>(
    area: &Vma<P>,
    number: u64,
    patience: Patience,
) -> Result<Faulted, VmFault> {
    let mut faulted = Faulted::default();
    loop {
        faulted.fell_back = P::FALLS_BACK && faulted.conflicts >= patience.conflicts;
        let conflict = match map_page(area, number, patience.deadline, &mut faulted) {
            Ok(()) => return Ok(faulted),
            Err(Trouble::Fault(fault)) => return Err(fault),
            Err(Trouble::Conflict(conflict)) => conflict,
        };
        faulted.conflicts = faulted.conflicts.saturating_add(1);
        let falls_back = P::FALLS_BACK && faulted.conflicts >= patience.conflicts;
        if conflict == Conflict::WriterRunning && !falls_back {
            let index = number - area.range.start + area.range.file_start;
            if !area.mapping.policy.wait(index, patience.deadline) {
                return Err(VmFault::TimedOut);
            }
        }
    }
}

/// One attempt at it.
fn map_page<P: Policy>(
    area: &Vma<P>,
    number: u64,
    deadline: Option<Instant>,
    faulted: &mut Faulted,
) -> Result<(), Trouble> {
    let mapping = &*area.mapping;
    let policy = &mapping.policy;
    let index = number - area.range.start + area.range.file_start;

    // Before the cache is asked: everything that happens from here on counts.
    let attempt = match faulted.fell_back {
        true => None,
        false => Some(policy.begin(index, deadline)?),
    };
    let truncate_count = mapping.truncate_count();
    if index >= mapping.pages() {
        return Err(VmFault::Sigbus.into());
    }

    let keep_lock = P::LOCKS_PAGE || faulted.fell_back;
    let (page, _locked, major) = match mapping.nopage(index, keep_lock, deadline)? {
        Found::Page(page) => (page, None, false),
        Found::Read(page) => (page, None, true),
        Found::Locked(locked, read_it) => (PageRef::clone(locked.page()), Some(locked), read_it),
    };
    faulted.major |= major;

    let mut ptes = area.range.page_table.lock();
    if ptes.contains_key(&number) {
        // Another thread was faster.
        return Ok(());
    }
    // A locked page that is in the cache stays there. Any other has the policy to thank for it.
    let attempt = attempt.as_ref().filter(|_| !keep_lock);
    if let Some(attempt) = attempt {
        if P::WATCHES_TRUNCATE && truncate_count != mapping.truncate_count() {
            return Err(Conflict::Race.into());
        }
        policy.before_rmap(index, attempt)?;
    }
    page.add_rmap();
    if let Some(attempt) = attempt {
        if let Err(conflict) = policy.after_rmap(index, attempt) {
            page.remove_rmap();
            return Err(conflict.into());
        }
    }
    ptes.insert(number, Pte { page });
    Ok(())
}

/// Why an attempt has failed: for good, or only this time.
enum Trouble {
    Fault(VmFault),
    Conflict(Conflict),
}

impl From<VmFault> for Trouble {
    fn from(fault: VmFault) -> Self {
        Trouble::Fault(fault)
    }
}

impl From<Conflict> for Trouble {
    fn from(conflict: Conflict) -> Self {
        Trouble::Conflict(conflict)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Conflict(conflict) => Trouble::Conflict(conflict),
            Refusal::TimedOut => Trouble::Fault(VmFault::TimedOut),
        }
    }
}
