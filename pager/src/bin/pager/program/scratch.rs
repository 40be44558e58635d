//! The file that the pages are loaded from: a copy of the user's file, or made-up content.
//!
//! Every page starts with its number and with the number of its last change. When a change is over, the
//! program announces its number. A reader notes the announced number *before* it touches the page. If the
//! page then has a smaller number, it is stale.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use seqschedlock_pager::{FileStore, PAGE_SIZE, Slow, Store};

/// The place in a page where the number of its last change is.
pub const CHANGES_AT: usize = 4;

#[derive(Debug)]
pub struct Scratch {
    pub name: String,
    file: File,
    /// For each page, the number of the last change that is over.
    announced: Vec<AtomicU32>,
    /// For each page, the number of loads that have begun plus the number that have ended.
    loads: Arc<[AtomicU32]>,
}

impl Scratch {
    /// This many pages: of the given file, repeated if it has fewer, or made up.
    pub fn new(source: Option<&Path>, pages: usize) -> Result<Self, String> {
        let folder = std::env::temp_dir();
        let in_folder =
            |what: &str, error| format!("cannot {what} in {}: {error}", folder.display());
        let (name, mut bytes) = match source {
            Some(path) => (path.display().to_string(), read(path, pages * PAGE_SIZE)?),
            None => {
                let mut noise = vec![0; pages * PAGE_SIZE];
                fastrand::Rng::with_seed(2005).fill(&mut noise);
                ("made-up pages".to_owned(), noise)
            }
        };
        let content = bytes.len();
        bytes.resize(pages * PAGE_SIZE, 0);
        for at in content..bytes.len() {
            bytes[at] = bytes[at % content];
        }
        // Without a name, so that it is gone when the program ends in any way.
        let file = tempfile::tempfile().map_err(|error| in_folder("make a file", error))?;
        file.write_all_at(&bytes, 0)
            .map_err(|error| in_folder("write the copy", error))?;
        let scratch = Self {
            name,
            file,
            announced: (0..pages).map(|_| AtomicU32::new(0)).collect(),
            loads: (0..pages).map(|_| AtomicU32::new(0)).collect(),
        };
        for page in 0..pages {
            scratch.stamp(page, 0)?;
        }
        Ok(scratch)
    }

    /// A store of these pages, with this latency.
    pub fn store(&self, latency: Duration) -> Result<impl Store + use<>, String> {
        let file = self
            .file
            .try_clone()
            .map_err(|error| format!("cannot open the copy again: {error}"))?;
        Ok(Watched {
            store: Slow::new(FileStore::new(file), latency),
            loads: Arc::clone(&self.loads),
        })
    }

    /// The number of the last change of a page that is over.
    pub fn announced(&self, page: usize) -> u32 {
        self.announced[page].load(Ordering::Acquire)
    }

    /// Changes a page, and returns the number to announce.
    pub fn change(&self, page: usize) -> Result<u32, String> {
        let change = self.announced[page].load(Ordering::Relaxed) + 1;
        self.stamp(page, change)?;
        Ok(change)
    }

    /// Announces that a change is over.
    pub fn announce(&self, page: usize, change: u32) {
        self.announced[page].store(change, Ordering::Release);
    }

    /// A number that changes when a load of the page begins or ends. If it changes during a read, the read
    /// waited for a load.
    pub fn loads(&self, page: usize) -> u32 {
        self.loads[page].load(Ordering::Relaxed)
    }

    fn stamp(&self, page: usize, change: u32) -> Result<(), String> {
        let mut stamp = [0; 8];
        stamp[..CHANGES_AT].copy_from_slice(&(page as u32).to_ne_bytes());
        stamp[CHANGES_AT..].copy_from_slice(&change.to_ne_bytes());
        self.file
            .write_all_at(&stamp, (page * PAGE_SIZE) as u64)
            .map_err(|error| format!("cannot change the copy: {error}"))
    }
}

/// The first bytes of a file, at most this many.
fn read(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    let name = path.display();
    let cannot = |error: io::Error| format!("cannot read {name}: {error}");
    let about = std::fs::metadata(path).map_err(cannot)?;
    if about.is_dir() {
        return Err(format!("{name} is a directory; give a file"));
    }
    if !about.is_file() {
        return Err(format!("{name} is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most as u64).read_to_end(&mut bytes))
        .map_err(cannot)?;
    if bytes.is_empty() {
        return Err(format!("{name} is empty: there is nothing to serve"));
    }
    Ok(bytes)
}

/// A store that counts the beginnings and ends of its loads.
#[derive(Debug)]
struct Watched {
    store: Slow<FileStore>,
    loads: Arc<[AtomicU32]>,
}

impl Store for Watched {
    fn load(&self, page: usize, into: &mut [u8; PAGE_SIZE]) -> io::Result<()> {
        self.loads[page].fetch_add(1, Ordering::Relaxed);
        let loaded = self.store.load(page, into);
        self.loads[page].fetch_add(1, Ordering::Relaxed);
        loaded
    }
}
