//! Random operations on one thread against a model of ten lines: the same outcome at every step.
#![cfg(not(loom))]

use proptest::prelude::*;
use seqschedlock::{Conflict, RawSeqSchedLock, Spin, Stamp, WriteGuard};

/// What the lock is, without the bits.
#[derive(Default)]
struct Model {
    running: usize,
    ended: u64,
}

impl Model {
    fn begin(&self) -> Result<u64, Conflict> {
        if self.running == 0 {
            Ok(self.ended)
        } else {
            Err(Conflict::WriterRunning)
        }
    }

    fn check(&self, began: u64) -> Result<(), Conflict> {
        match self.begin()? == began {
            true => Ok(()),
            false => Err(Conflict::Race),
        }
    }
}

#[derive(Clone, Debug)]
enum Operation {
    Begin,
    BeginWait,
    End(prop::sample::Index),
    Commit(prop::sample::Index),
    Write,
    Cancel(prop::sample::Index),
    Drop(prop::sample::Index),
    TryRead { disturbed: bool },
    TryPublish { disturbed: bool },
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    use Operation::*;
    let index = any::<prop::sample::Index>;
    let operation = prop_oneof![
        3 => Just(Begin),
        1 => Just(BeginWait),
        3 => index().prop_map(End),
        3 => index().prop_map(Commit),
        2 => Just(Write),
        1 => index().prop_map(Cancel),
        3 => index().prop_map(Drop),
        1 => any::<bool>().prop_map(|disturbed| TryRead { disturbed }),
        1 => any::<bool>().prop_map(|disturbed| TryPublish { disturbed }),
    ];
    prop::collection::vec(operation, 1..200)
}

proptest! {
    #[test]
    fn the_lock_does_what_the_model_does(operations in operations()) {
        let lock = RawSeqSchedLock::<Spin>::new();
        let mut model = Model::default();
        let mut stamps: Vec<(Stamp, u64)> = Vec::new();
        let mut sections: Vec<WriteGuard<'_, Spin>> = Vec::new();

        for operation in operations {
            match operation {
                Operation::Begin => match (lock.read_begin(), model.begin()) {
                    (Ok(stamp), Ok(began)) => stamps.push((stamp, began)),
                    (lock, model) => prop_assert_eq!(lock.err(), model.err()),
                },
                Operation::BeginWait => if let Ok(began) = model.begin() {
                    stamps.push((lock.read_begin_wait(), began));
                },
                Operation::End(index) | Operation::Commit(index) if stamps.is_empty() => {
                    let _ = index;
                }
                Operation::End(index) => {
                    let &(stamp, began) = index.get(&stamps);
                    prop_assert_eq!(lock.read_end(stamp), model.check(began));
                }
                Operation::Commit(index) => {
                    let &(stamp, began) = index.get(&stamps);
                    prop_assert_eq!(lock.read_commit(stamp), model.check(began));
                }
                Operation::Write => {
                    sections.push(lock.write());
                    model.running += 1;
                }
                Operation::Cancel(index) | Operation::Drop(index) if sections.is_empty() => {
                    let _ = index;
                }
                Operation::Cancel(index) => {
                    sections.swap_remove(index.index(sections.len())).cancel();
                    model.running -= 1;
                }
                Operation::Drop(index) => {
                    drop(sections.swap_remove(index.index(sections.len())));
                    model.running -= 1;
                    model.ended += 1;
                }
                Operation::TryRead { disturbed } => {
                    let began = model.begin();
                    let read = lock.try_read(|| if disturbed {
                        drop(lock.write());
                        model.ended += 1;
                    });
                    prop_assert_eq!(read, began.and_then(|began| model.check(began)));
                }
                Operation::TryPublish { disturbed } => {
                    let began = model.begin();
                    let mut retracted = false;
                    let published = lock.try_publish(
                        || if disturbed {
                            drop(lock.write());
                            model.ended += 1;
                        },
                        |()| retracted = true,
                    );
                    prop_assert_eq!(published, began.and_then(|began| model.check(began)));
                    prop_assert_eq!(retracted, began.is_ok() && published.is_err());
                }
            }
            prop_assert_eq!(lock.writers(), model.running);
            // Stamps differ exactly where the model's do.
            if let [(stamp, began), .., (newer, began_later)] = stamps[..] {
                prop_assert_eq!(stamp == newer, began == began_later);
            }
        }
    }
}
