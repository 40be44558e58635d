//! Random operations on one lock, awaiting readers among them, against the model.
#![no_main]

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use seqschedlock::{Conflict, Park, RawSeqSchedLock, Stamp, WriteGuard};
use seqschedlock_fuzz::{Bell, Ending, Model, Pick};

type Lock = RawSeqSchedLock<Park>;

#[derive(Arbitrary, Debug)]
enum Operation {
    Begin,
    BeginTimeout,
    End(Pick),
    Commit(Pick),
    Write,
    EndSection(Pick, Ending),
    TryRead(Option<Ending>),
    TryPublish(Option<Ending>),
    Await,
    Poll(Pick),
    GiveUp(Pick),
}

/// A reader that awaits the end of all sections.
struct Reader<'a> {
    future: Pin<Box<dyn Future<Output = Stamp> + 'a>>,
    bell: Arc<Bell>,
    /// It may not sleep: it was never polled, or it was woken.
    awake: bool,
}

struct World<'a> {
    lock: &'a Lock,
    model: Model,
    /// Each with the model's stamp beside it.
    stamps: Vec<(Stamp, u64)>,
    sections: Vec<WriteGuard<'a, Park>>,
    readers: Vec<Reader<'a>>,
}

impl<'a> World<'a> {
    fn step(&mut self, operation: Operation) {
        match operation {
            Operation::Begin => {
                let stamp = self.lock.read_begin();
                assert_eq!(stamp.err(), self.model.begin().err());
                self.stamped(stamp.ok());
            }
            Operation::BeginTimeout => {
                let stamp = self.lock.read_begin_timeout(Duration::ZERO);
                assert_eq!(stamp.is_some(), self.model.begin().is_ok());
                self.stamped(stamp);
            }
            Operation::End(pick) => {
                if let Some(index) = pick.of(self.stamps.len()) {
                    let (stamp, began) = self.stamps[index];
                    assert_eq!(self.lock.read_end(stamp), self.model.check(began));
                }
            }
            Operation::Commit(pick) => {
                if let Some(index) = pick.of(self.stamps.len()) {
                    let (stamp, began) = self.stamps[index];
                    assert_eq!(self.lock.read_commit(stamp), self.model.check(began));
                }
            }
            Operation::Write => {
                self.sections.push(self.lock.write());
                self.model.running += 1;
            }
            Operation::EndSection(pick, ending) => {
                if let Some(section) = pick.from(&mut self.sections) {
                    ending.end(section, WriteGuard::cancel);
                    self.model.end(ending);
                }
            }
            Operation::TryRead(disturbed) => {
                let expected = self.disturb(disturbed);
                let lock = self.lock;
                assert_eq!(lock.try_read(|| disturb(lock, disturbed)), expected);
            }
            Operation::TryPublish(disturbed) => {
                let expected = self.disturb(disturbed);
                let lock = self.lock;
                let (mut published, mut retracted) = (0, 0);
                let result = lock.try_publish(
                    || {
                        disturb(lock, disturbed);
                        published += 1;
                    },
                    |()| retracted += 1,
                );
                assert_eq!(result, expected);
                assert_eq!(
                    published,
                    i32::from(expected != Err(Conflict::WriterRunning))
                );
                assert_eq!(retracted, i32::from(expected == Err(Conflict::Race)));
            }
            Operation::Await => {
                let future = Box::pin(self.lock.read_begin_async());
                let bell = Arc::default();
                self.readers.push(Reader {
                    future,
                    bell,
                    awake: true,
                });
            }
            Operation::Poll(pick) => {
                if let Some(mut reader) = pick.from(&mut self.readers) {
                    let waker = reader.bell.waker();
                    match reader
                        .future
                        .as_mut()
                        .poll(&mut Context::from_waker(&waker))
                    {
                        Poll::Ready(stamp) => {
                            assert!(self.model.begin().is_ok(), "let in beside a writer");
                            self.stamped(Some(stamp));
                        }
                        Poll::Pending => {
                            assert!(self.model.begin().is_err(), "kept out although no writer runs");
                            reader.awake = reader.bell.rang();
                            self.readers.push(reader);
                        }
                    }
                }
            }
            Operation::GiveUp(pick) => drop(pick.from(&mut self.readers)),
        }
        self.check();
    }

    fn stamped(&mut self, stamp: Option<Stamp>) {
        if let (Some(stamp), Ok(began)) = (stamp, self.model.begin()) {
            self.stamps.push((stamp, began));
        }
    }

    /// The outcome of a read section in which another section begins and ends.
    fn disturb(&mut self, disturbed: Option<Ending>) -> Result<(), Conflict> {
        let began = self.model.begin()?;
        if let Some(ending) = disturbed {
            self.model.running += 1;
            self.model.end(ending);
        }
        self.model.check(began)
    }

    fn check(&mut self) {
        assert_eq!(self.lock.writers(), self.model.running);
        for reader in &mut self.readers {
            reader.awake |= reader.bell.rang();
            assert!(
                reader.awake || self.model.running != 0,
                "a wake-up was lost"
            );
        }
        // Stamps differ exactly where the model's do.
        if let [.., (one, began), (other, began_later)] = self.stamps[..] {
            assert_eq!(one == other, began == began_later);
        }
    }
}

fn disturb(lock: &Lock, disturbed: Option<Ending>) {
    if let Some(ending) = disturbed {
        ending.end(lock.write(), WriteGuard::cancel);
    }
}

fuzz_target!(|operations: Vec<Operation>| {
    let lock = Lock::new();
    let mut world = World {
        lock: &lock,
        model: Model::default(),
        stamps: Vec::new(),
        sections: Vec::new(),
        readers: Vec::new(),
    };
    for operation in operations {
        world.step(operation);
    }
});
