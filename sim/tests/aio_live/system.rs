//! One operation after the other, on anything that has rings: the same text must come out of all of them.

use core::fmt::{self, Write as _};
use core::str::FromStr;

use seqschedlock_sim::aio::remap::{PAGE_SIZE, Protection};

/// What a call answers with: a number, or the name of an error.
pub type Answer<T = u64> = Result<T, String>;

/// Rings and other memory in a stretch of address space. Addresses are counted from its beginning.
pub trait System {
    /// Makes a context, and moves its ring to `at`. The index of the context.
    fn setup(&mut self, requests: u32, at: u64) -> Answer;
    fn mremap(&mut self, old: u64, lengths: [u64; 2], flags: u32, new: u64) -> Answer;
    fn munmap(&mut self, at: u64, length: u64) -> Answer<()>;
    fn mmap(&mut self, at: u64, length: u64) -> Answer<()>;
    fn mprotect(&mut self, at: u64, length: u64, protection: Protection) -> Answer<()>;
    fn read(&mut self, id: u64, data: u64) -> Answer<()>;
    fn poll(&mut self, id: u64, data: u64) -> Answer<()>;
    fn ready(&mut self, data: u64) -> bool;
    fn getevents(&mut self, id: u64, most: usize) -> Answer<Vec<u64>>;
    fn store(&mut self, at: u64, word: u32) -> bool;
    fn load(&self, at: u64) -> Option<u32>;
    fn destroy(&mut self, id: u64, leftover_to: u64) -> Destroyed;
    fn pages(&self) -> Vec<Page>;
}

/// The outcome of an `io_destroy`, and of moving the first page that was left of the ring.
pub struct Destroyed {
    pub answer: Answer<()>,
    pub pages: Vec<Page>,
    pub leftover: Option<(Answer, Vec<Page>)>,
}

/// A page that is mapped. Rings are numbered in the order of their making, and so is other memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it is, in pages.
    pub place: u64,
    pub ring: bool,
    pub number: usize,
    pub offset: u64,
    pub protection: Protection,
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            number,
            offset,
            ..
        } = self;
        let kind = if self.ring { "ring" } else { "memory" };
        let protection = protection_name(self.protection);
        write!(f, "{place}:{kind}{number}+{offset}/{protection}")
    }
}

fn protection_name(protection: Protection) -> &'static str {
    match protection {
        Protection::None => "none",
        Protection::Read => "read",
        Protection::ReadWrite => "write",
    }
}

/// Makes `Op` with a line of text for each of its kinds.
macro_rules! ops {
    ($($(#[$doc:meta])* $Kind:ident { $($field:ident),* },)*) => {
        /// An operation. Everything is a number, so that it can be sent as a line of text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Op {
            $($(#[$doc])* $Kind { $($field: u64),* },)*
        }

        impl Op {
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$Kind { .. } => stringify!($Kind),)*
                }
            }
        }

        impl fmt::Display for Op {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())?;
                match self {
                    $(Self::$Kind { $($field),* } => { $(write!(f, " {}={:#x}", stringify!($field), $field)?;)* })*
                }
                Ok(())
            }
        }

        impl FromStr for Op {
            type Err = String;

            fn from_str(line: &str) -> Result<Self, String> {
                let mut words = line.split_ascii_whitespace();
                let name = words.next().unwrap_or_default();
                let mut number = |field: &str| {
                    let value = words.next().and_then(|word| word.strip_prefix(field)?.strip_prefix("=0x"));
                    let number = value.and_then(|value| u64::from_str_radix(value, 16).ok());
                    number.ok_or_else(|| format!("no `{field}` in `{line}`"))
                };
                match name {
                    $(stringify!($Kind) => Ok(Self::$Kind { $($field: number(stringify!($field))?),* }),)*
                    _ => Err(format!("no such operation: `{line}`")),
                }
            }
        }
    };
}

ops! {
    Setup { requests, at },
    Mremap { old, old_length, new_length, flags, new },
    Munmap { at, length },
    Mmap { at, length },
    /// 0 none, 1 read, 2 write.
    Mprotect { at, length, protection },
    /// So many reads, whose data is this and has its number in the upper half.
    Read { id, data, count },
    Poll { id, data },
    Ready { data },
    Getevents { id, most },
    Store { at, word },
    Destroy { id, leftover_to },
}

/// What an operation answers, and how everything is afterwards, for the first `places` pages.
pub fn apply(system: &mut impl System, op: Op, places: u64) -> String {
    let answer = match op {
        Op::Setup { requests, at } => show(system.setup(requests as u32, at)),
        Op::Mremap {
            old,
            old_length,
            new_length,
            flags,
            new,
        } => show(system.mremap(old, [old_length, new_length], flags as u32, new)),
        Op::Munmap { at, length } => show(system.munmap(at, length)),
        Op::Mmap { at, length } => show(system.mmap(at, length)),
        Op::Mprotect {
            at,
            length,
            protection,
        } => {
            let all = [Protection::None, Protection::Read, Protection::ReadWrite];
            show(system.mprotect(at, length, all[protection as usize]))
        }
        Op::Read { id, data, count } => {
            let mut read = |number| system.read(id, data | number << 32);
            show((0..count).try_for_each(&mut read))
        }
        Op::Poll { id, data } => show(system.poll(id, data)),
        Op::Ready { data } => show(Ok(system.ready(data))),
        Op::Getevents { id, most } => show(system.getevents(id, most as usize)),
        Op::Store { at, word } => show(Ok(system.store(at, word as u32))),
        Op::Destroy { id, leftover_to } => {
            let Destroyed {
                answer,
                pages,
                leftover,
            } = system.destroy(id, leftover_to);
            let mut text = format!("{}\nthen: {}", show(answer), list(&pages));
            if let Some((answer, pages)) = leftover {
                let _ = write!(text, "\nleftover: {}\nthen: {}", show(answer), list(&pages));
            }
            text
        }
    };
    format!("answer: {answer}\n{}", state(system, places))
}

fn show<T: fmt::Debug>(answer: Answer<T>) -> String {
    match answer {
        Ok(value) => format!("{value:?}"),
        Err(error) => error,
    }
}

fn list(items: &[impl fmt::Display]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(" ")
}

/// What can be seen: what is mapped, which places are ids, the first words and the headers.
fn state(system: &mut impl System, places: u64) -> String {
    let pages = system.pages();
    // First: a look for no events sets a head right that is beyond the end.
    let mut ids = Vec::new();
    for place in 0..places {
        match system.getevents(place * PAGE_SIZE, 0) {
            Ok(_) => ids.push(place.to_string()),
            Err(error) if error == "EINVAL" => {}
            Err(error) => ids.push(format!("{place}:{error}")),
        }
    }
    let mut words = Vec::new();
    for page in &pages {
        let at = page.place * PAGE_SIZE;
        let number = if page.ring && page.offset == 0 { 4 } else { 1 };
        let there: Vec<_> = (0..number)
            .filter_map(|word| system.load(at + word * 4))
            .collect();
        words.push(format!("{}:{there:?}", page.place));
    }
    format!(
        "pages: {}\nids: {}\nwords: {}",
        list(&pages),
        list(&ids),
        list(&words)
    )
}
