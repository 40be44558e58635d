//! `Fenced`: what a hit serves is at least as new as every update that had ended before the lookup began.

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use loom::sync::{Arc, Mutex};
use seqschedlock::{Fenced, RawSeqSchedLock, Spin};

use crate::explore::{explore, explore_all, join, spawn};

/// What was loaded: the version of the source.
type Entry = Arc<Fenced<usize>>;

/// Where lookups find an entry, loads put it and updates remove it.
trait Cache: Default + Send + Sync + 'static {
    fn find(&self) -> Option<Entry>;
    fn insert(&self, entry: Entry);
    fn remove(&self);
}

/// A map under a lock, or a concurrent map: it orders what happens to a key.
#[derive(Default)]
struct Map(Mutex<Option<Entry>>);

impl Cache for Map {
    fn find(&self) -> Option<Entry> {
        self.0.lock().unwrap().clone()
    }
    fn insert(&self, entry: Entry) {
        *self.0.lock().unwrap() = Some(entry);
    }
    fn remove(&self) {
        *self.0.lock().unwrap() = None;
    }
}

/// A slot that hands entries over safely and orders nothing else: whether there is one is a relaxed flag.
#[derive(Default)]
struct Slot {
    taken: AtomicBool,
    entry: Mutex<Option<Entry>>,
}

impl Cache for Slot {
    fn find(&self) -> Option<Entry> {
        let taken = self.taken.load(Relaxed);
        taken.then(|| self.entry.lock().unwrap().clone().unwrap())
    }
    fn insert(&self, entry: Entry) {
        *self.entry.lock().unwrap() = Some(entry);
        self.taken.store(true, Relaxed);
    }
    /// Looks before it removes, with a load, which a store buffer can deceive.
    fn remove(&self) {
        if self.taken.load(Relaxed) {
            self.taken.store(false, Relaxed);
        }
    }
}

#[derive(Default)]
struct World<C> {
    fence: RawSeqSchedLock<Spin>,
    source: AtomicUsize,
    cache: C,
    /// What a load has handed over to its waiters, in a cache that coalesces loads.
    handed_over: Map,
}

impl<C: Cache> World<C> {
    fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    fn load(&self) -> Option<Entry> {
        let stamp = self.fence.read_begin().ok()?;
        Some(Arc::new(Fenced::new(stamp, self.source.load(Relaxed))))
    }

    fn fill(&self) {
        if let Some(entry) = self.load() {
            self.cache.insert(entry);
        }
    }

    /// Like a loader that inserts the entry itself, and need not look it up.
    fn fill_and_hit(&self) {
        if let Some(entry) = self.load() {
            self.cache.insert(entry.clone());
            entry.hit(&self.fence);
        }
    }

    /// Like a cache that runs one load for many waiters.
    fn fill_for_many(&self) {
        if let Some(entry) = self.load() {
            self.handed_over.insert(entry.clone());
            self.cache.insert(entry);
        }
    }

    fn look_up(&self) -> Option<usize> {
        self.cache.find()?.hit(&self.fence).copied()
    }

    fn remove_and_change(&self) {
        let _section = self.fence.write();
        self.cache.remove();
        self.source.store(1, Relaxed);
    }

    fn change_and_remove(&self) {
        let _section = self.fence.write();
        self.source.store(1, Relaxed);
        self.cache.remove();
    }
}

fn must_be_new(hit: Option<usize>) {
    assert_ne!(
        hit,
        Some(0),
        "a hit is stale: an update had ended before the lookup began"
    );
}

type Part<C> = fn(&World<C>);

/// A load that hits its own entry like any other finder, against an update and the lookup after it.
fn load_against<C: Cache>(fill: Part<C>, update: Part<C>, look_up: fn(&World<C>) -> Option<usize>) {
    let world = World::new();
    let filler = spawn(&world, move |world| {
        fill(world);
        world.look_up();
    });
    let updater = spawn(&world, move |world| {
        update(world);
        must_be_new(look_up(world));
    });
    join([filler, updater]);
    must_be_new(world.look_up());
}

#[test]
pub fn a_hit_is_new_where_updates_remove_first() {
    explore_all(|| load_against::<Map>(World::fill, World::remove_and_change, World::look_up));
}

#[test]
pub fn a_hit_is_new_where_updates_remove_last() {
    explore_all(|| load_against::<Map>(World::fill, World::change_and_remove, World::look_up));
}

#[test]
pub fn a_hit_is_new_where_the_cache_orders_nothing() {
    explore_all(|| load_against::<Slot>(World::fill, World::remove_and_change, World::look_up));
}

#[test]
pub fn a_hit_is_new_where_the_loader_validates_what_it_inserted() {
    explore(|| {
        load_against::<Slot>(
            World::fill_and_hit,
            World::remove_and_change,
            World::look_up,
        );
    });
}

/// The loader has left, or was dropped: another finder validates what it published.
fn found_by_another<C: Cache>() {
    explore(|| {
        let world = World::<C>::new();
        let finder = spawn(&world, |world| {
            world.look_up();
        });
        let updater = spawn(&world, |world| {
            world.remove_and_change();
            must_be_new(world.look_up());
        });
        join([spawn(&world, World::fill), finder, updater]);
        must_be_new(world.look_up());
    });
}

#[test]
pub fn a_hit_is_new_whoever_validates_the_entry() {
    found_by_another::<Map>();
}

#[test]
pub fn a_hit_is_new_whoever_validates_where_the_cache_orders_nothing() {
    found_by_another::<Slot>();
}

#[test]
pub fn what_a_load_handed_over_is_new_if_it_is_fresh() {
    explore(|| {
        load_against::<Map>(World::fill_for_many, World::remove_and_change, |world| {
            world.handed_over.find()?.fresh(&world.fence).copied()
        });
    });
}

/// The traps of the documentation. Each ends in a stale hit.
mod traps {
    use super::*;

    #[test]
    #[should_panic(expected = "a hit is stale")]
    fn hit_on_what_a_load_handed_over() {
        explore_all(|| {
            load_against::<Map>(World::fill_for_many, World::remove_and_change, |world| {
                world.handed_over.find()?.hit(&world.fence).copied()
            });
        });
    }

    #[test]
    #[should_panic(expected = "a hit is stale")]
    fn hit_before_publishing() {
        fn fill(world: &World<Map>) {
            if let Some(entry) = world.load() {
                entry.hit(&world.fence);
                world.cache.insert(entry);
            }
        }
        explore_all(|| load_against(fill, World::remove_and_change, World::look_up));
    }

    #[test]
    #[should_panic(expected = "a hit is stale")]
    fn put_back_after_a_removal() {
        fn fill_twice(world: &World<Map>) {
            world.fill();
            if let Some(entry) = world.cache.find() {
                entry.hit(&world.fence);
                world.cache.insert(entry);
            }
        }
        explore_all(|| load_against(fill_twice, World::remove_and_change, World::look_up));
    }

    #[test]
    #[should_panic(expected = "a hit is stale")]
    fn a_stamp_taken_after_the_load() {
        fn fill(world: &World<Map>) {
            let value = world.source.load(Relaxed);
            if let Ok(stamp) = world.fence.read_begin() {
                world.cache.insert(Arc::new(Fenced::new(stamp, value)));
            }
        }
        explore_all(|| load_against(fill, World::remove_and_change, World::look_up));
    }

    /// It finds what was there when it began, and not what a load under way will put there.
    #[test]
    #[should_panic(expected = "a hit is stale")]
    fn an_update_that_removes_outside_its_section() {
        fn update(world: &World<Map>) {
            world.cache.remove();
            let _section = world.fence.write();
            world.source.store(1, Relaxed);
        }
        explore_all(|| load_against(World::fill, update, World::look_up));
    }
}
