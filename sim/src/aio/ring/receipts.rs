//! What user space received, compared with what it should have received.

use super::violation::Violation;

/// The events of one context as one reader receives them. They are numbered 1, 2, 3 and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipts {
    last: u64,
    /// Events that had not come when a later one did.
    skipped: u64,
    /// Events that came again.
    pub doubled: u64,
    /// Slots that were read before a completion had written them.
    pub unwritten: u64,
}

impl Receipts {
    /// Notes that these events have come, in this order.
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

    /// How many of the completed events never came, if no more will come.
    #[must_use]
    pub fn lost_of(&self, completed: u64) -> u64 {
        self.skipped + completed.saturating_sub(self.last)
    }

    /// Checks that all events came, once no more will come.
    ///
    /// # Errors
    ///
    /// The kinds of what is wrong.
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
