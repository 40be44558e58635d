//! The race at full speed, on the kernel.

use super::arena::Arena;
use super::kernel::Skip;
use super::maps::Object;
use super::sys::Error;
use crate::aio::remap::story::{Moved, Tally, at_once};
use crate::aio::remap::{Errno, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE};

/// Where the ring is at first, and where it is moved to.
const OLD: u64 = 0;
const NEW: u64 = 8 * PAGE_SIZE;

/// Plays the story of [`mover_against_destroyer`](crate::aio::remap::mover_against_destroyer) on the kernel,
/// for as long as `go_on` says: it is asked after each round, which takes 30 ms or more (a kernel that destroys a
/// context waits for a grace period).
///
/// Nothing in it touches a ring that is left. The process must not start others meanwhile.
///
/// # Errors
///
/// If there is no AIO here, or no more of it.
pub fn mover_against_destroyer(mut go_on: impl FnMut(&Tally) -> bool) -> Result<Tally, Skip> {
    let arena = Arena::new()?;
    let mut tally = Tally::default();
    loop {
        round(&arena, &mut tally)?;
        if !go_on(&tally) {
            return Ok(tally);
        }
    }
}

fn round(arena: &Arena, tally: &mut Tally) -> Result<(), Skip> {
    let ring = arena.setup(1, OLD)?;
    let flags = MREMAP_MAYMOVE | MREMAP_FIXED;
    let (moved, destroyed) = at_once(
        tally.rounds,
        || {
            let moved = arena.mremap(OLD, ring.length, ring.length, flags, NEW);
            if moved.is_ok() {
                arena
                    .mmap(OLD, ring.length)
                    .expect("the ring has just left");
            }
            moved
        },
        || arena.destroy_in_a_race(OLD),
    );
    // First of all: only `maps` is looked at, and what is left of a dead ring goes.
    let left = match destroyed {
        Ok(()) => {
            arena.forget(ring);
            arena.unmap_ring(ring.inode)
        }
        Err(_) => 0,
    };

    let is_alive = moved.is_ok() && destroyed.is_err();
    let mut innocents = innocents(arena);
    if is_alive {
        tally.wrong_ids += u64::from(arena.getevents(NEW, 0).is_err());
        let destroyed = arena.destroy(NEW, None);
        let ours = Object::Ring { inode: ring.inode };
        let is_left = destroyed.pages.iter().any(|page| page.object == ours);
        tally.rings_left += u64::from(is_left);
        innocents = innocents.min(self::innocents(arena));
    }
    if moved.is_ok() {
        tally.innocents_unmapped += ring.length / PAGE_SIZE - innocents;
    }
    tally.rings_left += u64::from(left != 0);
    tally.count(
        match moved {
            Ok(NEW) => Some(Moved::Ok),
            other => other
                .err()
                .and_then(Error::errno)
                .and_then(|errno| match errno {
                    Errno::Inval => Some(Moved::Inval),
                    Errno::Fault => Some(Moved::Fault),
                    _ => None,
                }),
        },
        match destroyed {
            Ok(()) => Some(true),
            Err(error) => (error.errno() == Some(Errno::Inval)).then_some(false),
        },
    );
    let all = arena.pages();
    for page in all {
        let gone = arena.munmap(page.number * PAGE_SIZE, PAGE_SIZE);
        gone.expect("a page of the arena can be unmapped");
    }
    Ok(())
}

/// How many pages are mapped at the old place that are not of a ring.
fn innocents(arena: &Arena) -> u64 {
    let pages = arena.pages();
    let is_innocent = |object: &Object| matches!(object, Object::Innocent { .. });
    pages
        .iter()
        .filter(|page| is_innocent(&page.object))
        .count() as u64
}
