//! What user space got, compared with what it should have got.

use super::violation::Violation;

/// The events of one context, as one reader receives them: they are numbered 1, 2, 3 and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipts {
    last: u64,
    /// Events that did not come before later ones.
    skipped: u64,
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
                    self.skipped += event - self.last - 1;
                    self.last = event;
                }
            }
        }
    }

    /// How many events of so many did not come, now that no more will come.
    #[must_use]
    pub fn lost_of(&self, completed: u64) -> u64 {
        self.skipped + completed.saturating_sub(self.last)
    }

    /// Nothing comes any more, and so many were completed.
    ///
    /// # Errors
    ///
    /// What is wrong, in kinds.
    pub fn check(&self, completed: u64) -> Result<(), Vec<Violation>> {
        let counts = [
            (self.lost_of(completed), Violation::EventLost),
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
