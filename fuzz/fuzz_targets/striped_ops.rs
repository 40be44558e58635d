//! Random operations on striped locks, against one model for each stripe.
#![no_main]

use std::collections::HashMap;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use seqschedlock::{RawSeqSchedLock, Spin, Stamp, StripedSeqSchedLock, WriteAllGuard, WriteGuard};
use seqschedlock_fuzz::{Ending, Model, Pick};

const STRIPES: usize = 4;

type Striped = StripedSeqSchedLock<Spin, STRIPES>;

/// How a stripe is found.
#[derive(Arbitrary, Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Index(usize),
    Number(u64),
    Text(String),
    Pair(u8, String),
}

#[derive(Arbitrary, Debug)]
enum Operation {
    Begin(Key),
    End(Pick),
    Commit(Pick),
    Write(Key),
    EndSection(Pick, Ending),
    WriteAll,
    EndAll(Pick, Ending),
}

struct World<'a> {
    striped: &'a Striped,
    models: [Model; STRIPES],
    /// Where a key was found first.
    places: HashMap<Key, usize>,
    /// With its stripe, and the model's stamp.
    stamps: Vec<(Stamp, usize, u64)>,
    sections: Vec<(WriteGuard<'a, Spin>, usize)>,
    all: Vec<WriteAllGuard<'a, Spin, STRIPES>>,
}

impl<'a> World<'a> {
    fn stripe(&self, index: usize) -> &'a RawSeqSchedLock<Spin> {
        self.striped.for_index(index)
    }

    fn find(&mut self, key: Key) -> usize {
        let striped = self.striped;
        let found = match &key {
            Key::Index(index) => striped.for_index(*index),
            Key::Number(number) => striped.for_key(number),
            Key::Text(text) => {
                let found = striped.for_key(text);
                assert!(std::ptr::eq(found, striped.for_key(text.as_str())));
                found
            }
            Key::Pair(number, text) => striped.for_key(&(number, text)),
        };
        let place = (0..STRIPES)
            .position(|index| std::ptr::eq(found, self.stripe(index)))
            .expect("a key leads to one of the stripes");
        if let Key::Index(index) = key {
            assert_eq!(place, index % STRIPES);
        }
        assert_eq!(
            *self.places.entry(key).or_insert(place),
            place,
            "a key moved"
        );
        place
    }

    fn step(&mut self, operation: Operation) {
        match operation {
            Operation::Begin(key) => {
                let place = self.find(key);
                match (self.stripe(place).read_begin(), self.models[place].begin()) {
                    (Ok(stamp), Ok(began)) => self.stamps.push((stamp, place, began)),
                    (stripe, model) => assert_eq!(stripe.err(), model.err()),
                }
            }
            Operation::End(pick) => {
                if let Some(index) = pick.of(self.stamps.len()) {
                    let (stamp, place, began) = self.stamps[index];
                    let expected = self.models[place].check(began);
                    assert_eq!(self.stripe(place).read_end(stamp), expected);
                }
            }
            Operation::Commit(pick) => {
                if let Some(index) = pick.of(self.stamps.len()) {
                    let (stamp, place, began) = self.stamps[index];
                    let expected = self.models[place].check(began);
                    assert_eq!(self.stripe(place).read_commit(stamp), expected);
                }
            }
            Operation::Write(key) => {
                let place = self.find(key);
                self.sections.push((self.stripe(place).write(), place));
                self.models[place].running += 1;
            }
            Operation::EndSection(pick, ending) => {
                if let Some((section, place)) = pick.from(&mut self.sections) {
                    ending.end(section, WriteGuard::cancel);
                    self.models[place].end(ending);
                }
            }
            Operation::WriteAll => {
                self.all.push(self.striped.write_all());
                self.models.iter_mut().for_each(|model| model.running += 1);
            }
            Operation::EndAll(pick, ending) => {
                if let Some(section) = pick.from(&mut self.all) {
                    ending.end(section, WriteAllGuard::cancel);
                    self.models.iter_mut().for_each(|model| model.end(ending));
                }
            }
        }
        for (index, model) in self.models.iter().enumerate() {
            assert_eq!(self.stripe(index).writers(), model.running);
        }
    }
}

fuzz_target!(|operations: Vec<Operation>| {
    let striped = Striped::new();
    let mut world = World {
        striped: &striped,
        models: Default::default(),
        places: HashMap::new(),
        stamps: Vec::new(),
        sections: Vec::new(),
        all: Vec::new(),
    };
    for operation in operations {
        world.step(operation);
    }
});
