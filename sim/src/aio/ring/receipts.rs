//! What user space got, compared with what it should have got.

use super::violation::Violation;

/// The events of one context, as one reader receives them: they are numbered 1, 2, 3 and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipts {
    last: u64,
    /// Events that were skipped.
    pub lost: u64,
    /// Events that had been there before.
    pub doubled: u64,
    /// Events that no completion had written.
    pub unwritten: u64,
}

impl Receipts {
    /// These have come, in this order.
    pub fn receive(&mut self, events: &[u64]) {
        for &event in events {
            match event {
                0 => self.unwritten += 1,
                event if event <= self.last => self.doubled += 1,
                event => {
                    self.lost += event - self.last - 1;
                    self.last = event;
                }
            }
        }
    }

    /// Nothing comes any more, and so many were completed.
    ///
    /// # Errors
    ///
    /// What is wrong, in kinds.
    pub fn check(&self, completed: u64) -> Result<(), Vec<Violation>> {
        let lost = self.lost + completed.saturating_sub(self.last);
        let counts = [
            (lost, Violation::EventLost),
            (self.doubled, Violation::EventDoubled),
            (self.unwritten, Violation::EventUnwritten),
        ];
        let wrong: Vec<_> = counts
            .into_iter()
            .filter_map(|(count, violation)| (count != 0).then_some(violation))
            .collect();
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong),
        }
    }
}
