//! What the kernel at hand does where kernels differ. This is probed, never inferred from a
//! version.

use core::fmt;
use std::fs;

use super::arena::{Arena, Ring};
use super::maps::Object;
use super::sys::Error;
use crate::aio::errno::Errno;
use crate::aio::remap::{MREMAP_FIXED, MREMAP_MAYMOVE, PAGE_SIZE, Rules, Version};

/// Why there is nothing to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// A system call is refused.
    Refused {
        /// Which one.
        call: &'static str,
        /// What it answers.
        error: Error,
    },
    /// `io_setup` succeeds, but there is no ring where it says.
    NoRing,
    /// There is no room in the address space for as many rings as a test has.
    NoArena,
    /// Another kind of machine.
    Machine,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused {
                call: "io_setup",
                error,
            } if error.errno() == Some(Errno::Again) => {
                f.write_str("fs.aio-max-nr is used up (8 x 200 requests are needed)")
            }
            Self::Refused { call, error } if error.errno().is_none() => {
                write!(f, "{call}: {error} (a seccomp filter?)")
            }
            Self::Refused { call, error } => write!(f, "{call}: {error}"),
            Self::NoRing => f.write_str(
                "io_setup succeeds, but /proc/self/maps shows no ring there (an emulated kernel?)",
            ),
            Self::NoArena => f.write_str("the address space has no room for the rings of a test"),
            Self::Machine => f.write_str(
                "only for 64-bit little-endian Linux with pages of 4096 bytes and /dev/zero",
            ),
        }
    }
}

impl core::error::Error for Skip {}

/// What the kernel at hand does where kernels differ. [`Rules`] says what the fields mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// For the size of rings.
    pub possible_cpus: u32,
    /// Since 2026.
    pub refuses_part: bool,
    /// Since 6.17.
    pub moves_several_areas: bool,
    /// Until 2025.
    pub checks_same_size: bool,
    /// Since 2025.
    pub refuses_before_unmapping: bool,
}

impl Kernel {
    /// Probes the kernel, with rings in an arena that is gone afterwards.
    ///
    /// # Errors
    ///
    /// If there is no AIO here, or not enough of it.
    pub fn probe() -> Result<Self, Skip> {
        let possible_cpus = possible_cpus().ok_or(Skip::Machine)?;
        let arena = Arena::new()?;
        every_call_is_there(&arena)?;
        // As many as a test may have at a time.
        let many = [0, 1, 2, 3, 4, 5, 6, 7].map(|number| number * ROOM);
        for at in many {
            arena.setup(200, at)?;
        }
        for at in many {
            arena.destroy(at, None);
        }
        let ring = arena.setup(100, 0)?;
        Ok(Self {
            possible_cpus,
            checks_same_size: checks_same_size(&arena, ring),
            refuses_before_unmapping: refuses_before_unmapping(&arena, ring),
            moves_several_areas: moves_several_areas(&arena, ring),
            // The last one: a ring that was split is split for ever.
            refuses_part: refuses_part(&arena),
        })
    }

    /// The rules of such a kernel.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            possible_cpus: self.possible_cpus,
            refuses_part: self.refuses_part,
            moves_several_areas: self.moves_several_areas,
            checks_same_size: self.checks_same_size,
            refuses_before_unmapping: self.refuses_before_unmapping,
            ..Version::Y2023.rules()
        }
    }
}

/// Between the rings of a probe. Rings are smaller on all but the largest machines.
const ROOM: u64 = 64 * PAGE_SIZE;
const FIXED: u32 = MREMAP_MAYMOVE | MREMAP_FIXED;

/// A filter may refuse one call and let another one pass.
fn every_call_is_there(arena: &Arena) -> Result<(), Skip> {
    let refused = |call| move |error| Skip::Refused { call, error };
    let ring = arena.setup(200, 0)?;
    arena.submit_read(0, 1).map_err(refused("io_submit"))?;
    arena.getevents(0, 1).map_err(refused("io_getevents"))?;
    let destroyed = arena.destroy(0, None);
    destroyed.answer.map_err(refused("io_destroy"))?;
    match ring.length <= ROOM {
        true => Ok(()),
        false => Err(Skip::NoArena),
    }
}

/// `mremap` to one page more than there is, both lengths the same and nowhere to go.
fn checks_same_size(arena: &Arena, ring: Ring) -> bool {
    let length = ring.length + PAGE_SIZE;
    arena.mremap(0, length, length, 0, 0).is_err()
}

/// A ring that is to grow onto other memory: is that memory still there when it has been refused?
fn refuses_before_unmapping(arena: &Arena, ring: Ring) -> bool {
    let target = 8 * ROOM;
    arena.mmap(target, PAGE_SIZE).expect("nothing is there");
    let grown = arena.mremap(0, ring.length, ring.length + PAGE_SIZE, FIXED, target);
    assert!(grown.is_err(), "a ring has grown");
    let survived = arena.page(target).is_some();
    arena.munmap(target, PAGE_SIZE).expect("it can be unmapped");
    survived
}

/// A ring and other memory behind it.
fn moves_several_areas(arena: &Arena, ring: Ring) -> bool {
    arena
        .mmap(ring.length, PAGE_SIZE)
        .expect("nothing is there");
    let (length, target) = (ring.length + PAGE_SIZE, 8 * ROOM);
    let moved = arena.mremap(0, length, length, FIXED, target);
    if moved.is_ok() {
        let back = arena.mremap(target, length, length, FIXED, 0);
        back.expect("what was moved can be moved back");
    }
    arena
        .munmap(ring.length, PAGE_SIZE)
        .expect("it can be unmapped");
    moved.is_ok()
}

/// The first page of a ring, there and back.
fn refuses_part(arena: &Arena) -> bool {
    let target = 8 * ROOM;
    let moved = arena.mremap(0, PAGE_SIZE, PAGE_SIZE, FIXED, target);
    if moved.is_ok() {
        let back = arena.mremap(target, PAGE_SIZE, PAGE_SIZE, FIXED, 0);
        back.expect("what was moved can be moved back");
    }
    let destroyed = arena.destroy(0, None);
    destroyed.answer.expect("the id is where the first page is");
    let is_ring = |object: &Object| matches!(object, Object::Ring { .. });
    assert!(
        !destroyed.pages.iter().any(|page| is_ring(&page.object)),
        "a ring is left"
    );
    moved.is_err()
}

/// From a list such as `0-3,8`.
fn possible_cpus() -> Option<u32> {
    let list = fs::read_to_string("/sys/devices/system/cpu/possible");
    if let Ok(list) = list {
        return list.trim().split(',').map(count).sum();
    }
    // SAFETY: no memory is involved.
    u32::try_from(unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) }).ok()
}

fn count(range: &str) -> Option<u32> {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
    Some(last.checked_sub(first)? + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_cpus_of_a_list() {
        let counted = |list: &str| list.split(',').map(count).sum::<Option<u32>>();
        assert_eq!(counted("0"), Some(1));
        assert_eq!(counted("0-1"), Some(2));
        assert_eq!(counted("0-3,8,10-11"), Some(7));
        assert_eq!(counted("3-1"), None);
        assert_eq!(counted(""), None);
    }
}
