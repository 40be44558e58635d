//! The page fault: `handle_mm_fault` and `do_no_page` of 2005, today `do_fault` and `finish_fault`.

mod write;

use std::time::Instant;

use super::error::VmFault;
use super::mapping::Found;
use super::mm::{Mm, Vma};
use super::page::PageRef;
use super::page_table::{Pte, Sharing, page_number};
use super::policy::{Policy, Refusal};
use crate::locks::read;
use seqschedlock::Conflict;

/// What user space was about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// To read.
    Read,
    /// To write.
    Write,
}

/// What a fault may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// After this many conflicts in a row the fault takes the page lock, which no invalidate can
    /// overtake; zero takes it from the start. (Policies that lock the page anyway, or that had no
    /// such fallback, ignore this.)
    pub conflicts: u32,
    /// When to give up waiting: for write sections, for the page lock, for the policy's own lock.
    /// The store's I/O and the file system are not interrupted.
    pub deadline: Option<Instant>,
}

impl Patience {
    /// One conflict, no deadline.
    ///
    /// Waiting for a sleeping section to end is rarely worth while: the section may be about any
    /// page, whereas the page lock is held up only by what happens to *this* page.
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
    /// Because of these conflicts, the fault ended under the page lock.
    pub fell_back: bool,
}

impl<P: Policy> Mm<P> {
    /// Does what it can to let an access succeed: `handle_mm_fault`.
    ///
    /// After `Ok`, try the access again. It may fault once more: the mapping may be gone again, or
    /// a file system may have asked for another try.
    ///
    /// # Errors
    ///
    /// [`VmFault::Segv`] where nothing is mapped, [`VmFault::Sigbus`] beyond the end of the file and
    /// where it cannot be read, [`VmFault::TimedOut`] at the deadline, and what the file system's
    /// [`page_mkwrite`](super::FileSystem::page_mkwrite) answers.
    pub fn fault(
        &self,
        address: u64,
        access: Access,
        patience: Patience,
    ) -> Result<Faulted, VmFault> {
        let number = page_number(address);
        let areas = read(&self.areas);
        let (_, area) = areas.range(..=number).next_back().ok_or(VmFault::Segv)?;
        if number - area.range.start >= area.range.pages {
            return Err(VmFault::Segv);
        }
        let fault = Fault {
            area,
            number,
            index: area.range.index(number),
            access,
            patience,
        };
        // `handle_pte_fault`.
        let there = match self.page_table.lock().get(&number) {
            None => None,
            Some(pte) if access == Access::Write && !pte.writable => {
                Some(PageRef::clone(&pte.page))
            }
            Some(_) => return Ok(Faulted::default()), // another thread was faster
        };
        match there {
            None => fault.do_no_page(),
            Some(page) => fault.do_wp_page(&page),
        }
    }
}

/// One fault: `struct vm_fault`.
struct Fault<'a, P: Policy> {
    area: &'a Vma<P>,
    /// The page of the address space.
    number: u64,
    /// The page of the file.
    index: u64,
    access: Access,
    patience: Patience,
}

impl<P: Policy> Fault<'_, P> {
    /// Nothing is mapped: `do_no_page`.
    fn do_no_page(&self) -> Result<Faulted, VmFault> {
        let mut faulted = Faulted::default();
        let falls_back = |conflicts| P::FALLS_BACK && conflicts >= self.patience.conflicts;
        loop {
            faulted.fell_back = falls_back(faulted.conflicts);
            let conflict = match self.attempt(&mut faulted) {
                Ok(()) => return Ok(faulted),
                Err(Setback::Fault(fault)) => return Err(fault),
                Err(Setback::Conflict(conflict)) => conflict,
            };
            faulted.conflicts = faulted.conflicts.saturating_add(1);
            if conflict == Conflict::WriterRunning && !falls_back(faulted.conflicts) {
                let policy = &self.area.mapping.policy;
                if !policy.wait(self.index, self.patience.deadline) {
                    return Err(VmFault::TimedOut);
                }
            }
        }
    }

    /// One attempt at it.
    fn attempt(&self, faulted: &mut Faulted) -> Result<(), Setback> {
        let mapping = &*self.area.mapping;
        let policy = &mapping.policy;
        let deadline = self.patience.deadline;

        // Before the lookup in the cache: everything that happens from here on counts.
        let attempt = match faulted.fell_back {
            true => None,
            false => Some(policy.begin(self.index, deadline)?),
        };
        let truncate_count = mapping.truncate_count();
        if self.index >= mapping.pages() {
            return Err(VmFault::Sigbus.into());
        }
        let keep_lock = P::LOCKS_PAGE || faulted.fell_back;
        // (The lock, and what the policy returned, are held to the end of this function.)
        let (page, locked, major) = match mapping.nopage(self.index, keep_lock, deadline)? {
            Found::Page(page) => (page, None, false),
            Found::Read(page) => (page, None, true),
            Found::Locked(locked, read) => (PageRef::clone(locked.page()), Some(locked), read),
        };
        faulted.major |= major;

        let private = self.area.range.sharing == Sharing::Private;
        let page = match self.access {
            Access::Read => page,
            // What is copied has to pass the same checks as what is mapped.
            Access::Write if private => page.anonymous_copy(),
            Access::Write => {
                drop(locked); // `page_mkwrite` is called unlocked
                return Ok(self.do_shared_fault(&page)?);
            }
        };

        let mut ptes = self.area.range.page_table.lock();
        if ptes.contains_key(&self.number) {
            return Ok(()); // another thread was faster
        }
        // A locked page in the cache stays there. For any other, the policy has to vouch.
        if let Some(attempt) = &attempt {
            if P::WATCHES_TRUNCATE && truncate_count != mapping.truncate_count() {
                return Err(Conflict::Race.into());
            }
            policy.before_rmap(self.index, attempt)?;
        }
        page.add_rmap();
        if let Some(attempt) = &attempt {
            if let Err(conflict) = policy.after_rmap(self.index, attempt) {
                page.remove_rmap();
                return Err(conflict.into());
            }
        }
        let writable = self.access == Access::Write;
        ptes.insert(
            self.number,
            Pte {
                page,
                writable,
                dirty: writable,
            },
        );
        Ok(())
    }
}

/// Why an attempt failed: for good, or only this time.
enum Setback {
    Fault(VmFault),
    Conflict(Conflict),
}

impl From<VmFault> for Setback {
    fn from(fault: VmFault) -> Self {
        Setback::Fault(fault)
    }
}

impl From<Conflict> for Setback {
    fn from(conflict: Conflict) -> Self {
        Setback::Conflict(conflict)
    }
}

impl From<Refusal> for Setback {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Conflict(conflict) => Setback::Conflict(conflict),
            Refusal::TimedOut => Setback::Fault(VmFault::TimedOut),
        }
    }
}
