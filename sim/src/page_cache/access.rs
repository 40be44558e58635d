//! User-space loads and stores: what the MMU does by itself, and the fault where it cannot.

use super::error::VmFault;
use super::fault::{Access, Faulted, Patience};
use super::mm::Mm;
use super::page::PAGE_SIZE;
use super::page_table::page_number;
use super::policy::Policy;

/// All accesses are of whole words within one page, and happen in one step: no unmapping comes
/// between reading the pte and the access, as none does where unmapping ends in a TLB flush.
impl<P: Policy> Mm<P> {
    /// Reads words through the mapping, faulting if needed. Returns how the last fault went, if
    /// there was one.
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
            faulted = Some(self.fault(address, Access::Read, patience)?);
        }
        Ok(faulted)
    }

    /// Writes words through the mapping, faulting if needed. Returns how the last fault went, if
    /// there was one.
    ///
    /// # Errors
    ///
    /// Those of [`fault`](Self::fault).
    ///
    /// # Panics
    ///
    /// As [`read`](Self::read).
    pub fn write(
        &self,
        address: u64,
        words: &[u64],
        patience: Patience,
    ) -> Result<Option<Faulted>, VmFault> {
        let mut faulted = None;
        while !self.poke(address, words) {
            faulted = Some(self.fault(address, Access::Write, patience)?);
        }
        Ok(faulted)
    }

    /// Reads words if they are mapped; `false` if a fault is needed.
    ///
    /// # Panics
    ///
    /// As [`read`](Self::read).
    #[must_use = "`false` means that nothing was read"]
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

    /// Writes words if they are mapped writable; `false` if a fault is needed.
    ///
    /// # Panics
    ///
    /// As [`read`](Self::read).
    #[must_use = "`false` means that nothing was written"]
    pub fn poke(&self, address: u64, words: &[u64]) -> bool {
        let first = first_word(address, words.len());
        match self.page_table.lock().get_mut(&page_number(address)) {
            Some(pte) if pte.writable => {
                pte.dirty = true;
                for (position, word) in words.iter().enumerate() {
                    pte.page.store(first + position, *word);
                }
                true
            }
            _ => false,
        }
    }
}

/// The position of an address in its page, in words.
fn first_word(address: u64, words: usize) -> usize {
    let first = (address % PAGE_SIZE as u64) as usize;
    assert!(
        first % size_of::<u64>() == 0 && words <= (PAGE_SIZE - first) / size_of::<u64>(),
        "user space reads and writes whole words of one page"
    );
    first / size_of::<u64>()
}
