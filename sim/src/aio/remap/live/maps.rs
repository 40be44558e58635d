//! What is mapped, page by page, according to `/proc/self/maps`.

use std::fs;
use std::io;

use crate::aio::remap::{PAGE_SIZE, Protection};

/// What a page belongs to. Inodes tell rings apart, and pieces of shared memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A ring.
    Ring {
        /// Of its file.
        inode: u64,
    },
    /// Shared memory of the process's own.
    Innocent {
        /// Of its file.
        inode: u64,
    },
    /// Something that should not be there.
    Other {
        /// The line about it.
        line: String,
    },
}

/// A page that is mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its number: where it lies, in pages.
    pub number: u64,
    /// What it belongs to.
    pub object: Object,
    /// Which page of that.
    pub offset: u64,
    /// What may be done with it.
    pub protection: Protection,
}

/// The pages that are mapped between two addresses. None of them is touched.
pub(super) fn pages(from: u64, to: u64) -> io::Result<Vec<Page>> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let mut pages = Vec::new();
    for line in maps.lines() {
        let area = parse(line).ok_or_else(|| io::Error::other(format!("cannot read `{line}`")))?;
        for at in (area.start.max(from)..area.end.min(to)).step_by(PAGE_SIZE as usize) {
            pages.push(Page {
                number: at / PAGE_SIZE,
                object: area.object.clone(),
                offset: (area.offset + (at - area.start)) / PAGE_SIZE,
                protection: area.protection,
            });
        }
    }
    Ok(pages)
}

/// What the area belongs to that begins at an address, and its length.
pub(super) fn area(at: u64) -> Option<(Object, u64)> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let mut areas = maps.lines().filter_map(parse);
    let area = areas.find(|area| area.start == at)?;
    Some((area.object, area.end - area.start))
}

struct Area {
    start: u64,
    end: u64,
    object: Object,
    offset: u64,
    protection: Protection,
}

/// A line such as `7f0000000000-7f0000001000 rw-s 00000000 00:0e 2061 /[aio] (deleted)`.
fn parse(line: &str) -> Option<Area> {
    let hex = |text| u64::from_str_radix(text, 16).ok();
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let protection = match fields.next()? {
        "rw-s" => Some(Protection::ReadWrite),
        "r--s" => Some(Protection::Read),
        "---s" => Some(Protection::None),
        _ => None,
    };
    let offset = hex(fields.next()?)?;
    let inode = fields.nth(1)?.parse().ok()?;
    let object = match (protection, fields.next()) {
        (Some(_), Some("/[aio]")) => Object::Ring { inode },
        (Some(_), Some("/dev/zero")) => Object::Innocent { inode },
        _ => Object::Other {
            line: line.to_owned(),
        },
    };
    Some(Area {
        start: hex(start)?,
        end: hex(end)?,
        object,
        offset,
        protection: protection.unwrap_or(Protection::None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_rings_from_shared_memory_and_from_what_should_not_be_there() {
        let object = |line| parse(line).map(|area| area.object);
        let ring = "7f0000000000-7f0000004000 rw-s 00001000 00:0e 2061   /[aio] (deleted)";
        let area = parse(ring).unwrap();
        assert_eq!((area.start, area.end), (0x7f00_0000_0000, 0x7f00_0000_4000));
        assert_eq!(area.offset, 0x1000);
        assert_eq!(area.object, Object::Ring { inode: 2061 });
        assert_eq!(area.protection, Protection::ReadWrite);

        let shared = "100000000000-100000001000 ---s 00000000 00:01 77 /dev/zero (deleted)";
        assert_eq!(object(shared), Some(Object::Innocent { inode: 77 }));
        for line in [
            "7f0000000000-7f0000004000 rw-p 00000000 00:00 0",
            "7f0000000000-7f0000004000 rw-p 00000000 00:0e 2061 /[aio] (deleted)",
            "7ffd31a5b000-7ffd31a7d000 rw-p 00000000 00:00 0  [stack]",
        ] {
            assert!(matches!(object(line), Some(Object::Other { .. })), "{line}");
        }
        assert_eq!(object("nonsense"), None);
    }
}
