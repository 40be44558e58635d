//! The race at full speed, on the kernel.

use super::arena::Arena;
use super::kernel::Skip;
use super::maps::{Object, Page};
use super::sys::Error;
use crate::aio::errno::Errno;
use crate::aio::remap::story::{Moved, Tally, at_once};
use crate::aio::remap::{MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE};

/// Where the ring is at first, and where it is moved to.
const OLD: u64 = 0;
const NEW: u64 = 8 * PAGE_SIZE;

/// Plays the story of [`mover_against_destroyer`](crate::aio::remap::mover_against_destroyer) on the kernel, for
/// as long as `go_on` returns `true`. It is called after each round, which takes 30 ms or more (a kernel that
/// destroys a context waits for a grace period).
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
    let (length, flags) = (ring.length, MREMAP_MAYMOVE | MREMAP_FIXED);
    let (moved, destroyed) = at_once(
        tally.rounds,
        || {
            let moved = arena.mremap(OLD, length, length, flags, NEW);
            if moved.is_ok() {
                let mapped = arena.mmap(OLD, length);
                mapped.expect("the ring has just left");
            }
            moved
        },
        || arena.destroy_in_a_race(OLD),
    );
    // First, and without touching it, unmap what is left of a dead ring.
    if destroyed.is_ok() {
        arena.forget(ring);
        tally.rings_left += u64::from(arena.unmap_ring(ring.inode) != 0);
    }
    if moved.is_ok() && destroyed.is_err() {
        tally.wrong_ids += u64::from(arena.getevents(NEW, 0).is_err());
        let destroyed = arena.destroy(NEW, None);
        let ours = Object::Ring { inode: ring.inode };
        let is_left = destroyed.pages.iter().any(|page| page.object == ours);
        tally.rings_left += u64::from(is_left);
    }
    if moved.is_ok() {
        tally.innocents_unmapped += length / PAGE_SIZE - innocents(arena);
    }
    tally.count(mover_was_told(moved), destroyer_was_told(destroyed));
    arena.clear();
    Ok(())
}

/// How many pages are mapped that are not of a ring.
fn innocents(arena: &Arena) -> u64 {
    let pages = arena.pages().into_iter();
    let is_innocent = |page: &Page| matches!(page.object, Object::Innocent { .. });
    pages.filter(is_innocent).count() as u64
}

fn mover_was_told(answer: Result<u64, Error>) -> Option<Moved> {
    match answer.map_err(Error::errno) {
        Ok(NEW) => Some(Moved::Ok),
        Err(Some(Errno::Invalid)) => Some(Moved::Invalid),
        Err(Some(Errno::Fault)) => Some(Moved::Fault),
        _ => None,
    }
}

fn destroyer_was_told(answer: Result<(), Error>) -> Option<bool> {
    match answer.map_err(Error::errno) {
        Ok(()) => Some(true),
        Err(Some(Errno::Invalid)) => Some(false),
        Err(_) => None,
    }
}
