//! The programs: what happens in a ring at the same time.

use std::sync::Arc;

use loom::thread::{JoinHandle, spawn};
use seqschedlock_sim::aio::ring::{Buffer, Mm, Receipts, Version, Violation};

use crate::collect;

pub type Outcome = collect::Outcome<Violation>;

/// A process with one ring of one page.
struct World {
    mm: Arc<Mm>,
    id: u64,
    completed: u64,
}

impl World {
    /// With so many events in the ring.
    fn new(version: Version, completed: u64) -> Self {
        let mm = Mm::new(version);
        let id = mm.io_setup(1).unwrap();
        let context = mm.context(id).unwrap();
        for event in 1..=completed {
            context.io_submit().unwrap().complete(event);
        }
        Self { mm, id, completed }
    }

    fn migrate(&self) -> JoinHandle<()> {
        migrate(&self.mm)
    }

    /// Reads one event.
    fn read(&self, buffer: Buffer) -> JoinHandle<Vec<u64>> {
        let context = self.mm.context(self.id).unwrap();
        spawn(move || context.read_events(1, buffer).unwrap_or_default())
    }

    /// Completes one more event.
    fn complete(&mut self) -> JoinHandle<()> {
        self.completed += 1;
        let event = self.completed;
        let iocb = self.mm.context(self.id).unwrap().io_submit().unwrap();
        spawn(move || iocb.complete(event))
    }

    /// Everything is at rest. These events have been read; the others are read now.
    fn at_the_end(self, events: &[u64]) -> Outcome {
        let mut wrong = self.mm.check().err().unwrap_or_default();
        let mut receipts = Receipts::default();
        receipts.receive(events);
        match self.mm.context(self.id) {
            Ok(context) => {
                let rest = context.read_events(usize::MAX, Buffer::Present);
                receipts.receive(&rest.unwrap_or_default());
                wrong.extend(receipts.check(self.completed).err().unwrap_or_default());
            }
            // The id is lost, which the check has reported.
            Err(_) => assert!(!wrong.is_empty(), "there is a context"),
        }
        exit(&self.mm, wrong)
    }
}

/// Moves a page, if that is possible just now.
fn migrate(mm: &Arc<Mm>) -> JoinHandle<()> {
    let mm = Arc::clone(mm);
    spawn(move || {
        let _refused = mm.compact(0);
    })
}

/// The process exits, and nothing must be left of it.
fn exit(mm: &Mm, mut wrong: Vec<Violation>) -> Outcome {
    mm.exit_aio();
    wrong.extend(mm.check().err().unwrap_or_default());
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong),
    }
}

pub fn read_and_migrate(version: Version) -> Outcome {
    let world = World::new(version, 2);
    let reading = world.read(Buffer::Present);
    let migrating = world.migrate();
    let events = reading.join().unwrap();
    migrating.join().unwrap();
    world.at_the_end(&events)
}

pub fn complete_and_migrate(version: Version) -> Outcome {
    let mut world = World::new(version, 0);
    let completing = world.complete();
    let migrating = world.migrate();
    completing.join().unwrap();
    migrating.join().unwrap();
    world.at_the_end(&[])
}

pub fn setup_and_migrate(version: Version) -> Outcome {
    let mm = Mm::new(version);
    let setup = {
        let mm = Arc::clone(&mm);
        spawn(move || mm.io_setup(1).unwrap())
    };
    let migrating = migrate(&mm);
    let _id = setup.join().unwrap();
    migrating.join().unwrap();
    let wrong = mm.check().err().unwrap_or_default();
    exit(&mm, wrong)
}

/// The context has been destroyed, and its last user goes.
pub fn teardown_and_migrate(version: Version) -> Outcome {
    let world = World::new(version, 0);
    let last = world.mm.context(world.id).unwrap();
    world.mm.io_destroy(world.id).unwrap();
    let migrating = world.migrate();
    let leaving = spawn(move || drop(last));
    migrating.join().unwrap();
    leaving.join().unwrap();
    exit(&world.mm, Vec::new())
}

/// The reader's copy takes `mmap_sem`, which the migration holds.
pub fn faulting_read_and_move_pages(version: Version) -> Outcome {
    let world = World::new(version, 1);
    let reading = world.read(Buffer::Faulting);
    let moving = {
        let (mm, id) = (Arc::clone(&world.mm), world.id);
        spawn(move || {
            let _refused = mm.move_pages(id, 0);
        })
    };
    let events = reading.join().unwrap();
    moving.join().unwrap();
    world.at_the_end(&events)
}

pub fn complete_and_read(version: Version) -> Outcome {
    let mut world = World::new(version, 0);
    let reading = world.read(Buffer::Present);
    let completing = world.complete();
    let events = reading.join().unwrap();
    completing.join().unwrap();
    world.at_the_end(&events)
}

pub fn read_complete_and_migrate(version: Version) -> Outcome {
    let mut world = World::new(version, 1);
    let reading = world.read(Buffer::Present);
    let completing = world.complete();
    let migrating = world.migrate();
    let events = reading.join().unwrap();
    completing.join().unwrap();
    migrating.join().unwrap();
    world.at_the_end(&events)
}

/// User space waits for the end of the migration, and sees the id in the new page.
pub fn lookup_and_migrate(version: Version) -> Outcome {
    let world = World::new(version, 0);
    let looking = {
        let (mm, id) = (Arc::clone(&world.mm), world.id);
        spawn(move || drop(mm.context(id).unwrap()))
    };
    let migrating = world.migrate();
    looking.join().unwrap();
    migrating.join().unwrap();
    world.at_the_end(&[])
}
