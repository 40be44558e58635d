//! The file that is actually served: a copy of the user's, or a made-up one.

use std::fs::File;
use std::io::{Read, Seek as _, Write as _};
use std::path::Path;

use indicatif::ProgressBar;
use seqschedlock_sim::page_cache::PAGE_SIZE;

use crate::terminal::interrupted;

/// Larger files are served in part: the simulated cache keeps every page it has read.
const LARGEST: u64 = 1 << 30;
/// The size of the file that is made up when none is given.
const MADE_UP: u64 = 64 << 20;

/// The file to serve, and what to call it.
#[derive(Debug)]
pub struct Copy {
    pub file: File,
    pub name: String,
    pub pages: u64,
}

/// Copies `source`, or makes a file up. `None` if Ctrl-C came first.
pub fn prepare(source: Option<&Path>) -> Result<Option<Copy>, String> {
    let (mut source, name, size) = match source {
        Some(path) => open(path)?,
        None => {
            let noise = Noise(fastrand::Rng::with_seed(2005));
            let name = "a made-up file of 64 MiB".to_owned();
            (Box::new(noise) as Box<dyn Read>, name, MADE_UP)
        }
    };
    let folder = std::env::temp_dir();
    let in_folder = |what: &str, error| format!("cannot {what} in {}: {error}", folder.display());
    // Unnamed: it is gone when the program ends, however that happens.
    let mut file = tempfile::tempfile().map_err(|error| in_folder("make a file", error))?;

    let bar = ProgressBar::new(size).with_message("copying");
    let mut chunk = vec![0; 1 << 20];
    let mut left = size;
    while left > 0 {
        if interrupted() {
            return Ok(None);
        }
        let part = &mut chunk[..left.min(1 << 20) as usize];
        let read = source
            .read(part)
            .map_err(|error| format!("cannot read {name}: {error}"))?;
        if read == 0 {
            break; // it became shorter meanwhile
        }
        file.write_all(&part[..read])
            .map_err(|error| in_folder("write the copy", error))?;
        left -= read as u64;
        bar.inc(read as u64);
    }
    bar.finish_and_clear();

    // Direct writes are of whole blocks, so the copy ends with a whole one.
    let size = file
        .stream_position()
        .map_err(|error| in_folder("write the copy", error))?;
    let pages = size.div_ceil(PAGE_SIZE as u64);
    file.set_len(pages * PAGE_SIZE as u64)
        .map_err(|error| in_folder("write the copy", error))?;
    if pages == 0 {
        return Err(format!("{name} is empty: there is nothing to serve"));
    }
    Ok(Some(Copy { file, name, pages }))
}

fn open(path: &Path) -> Result<(Box<dyn Read>, String, u64), String> {
    let name = path.display().to_string();
    let about = std::fs::metadata(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    if about.is_dir() {
        return Err(format!("{name} is a directory; give a file"));
    }
    if !about.is_file() {
        return Err(format!("{name} is not a regular file"));
    }
    let file = File::open(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    if about.len() == 0 {
        return Err(format!("{name} is empty: there is nothing to serve"));
    }
    if about.len() > LARGEST {
        eprintln!("page_cache: {name} is larger than 1 GiB; its first GiB is served");
    }
    Ok((Box::new(file), name, about.len().min(LARGEST)))
}

/// Endless bytes.
struct Noise(fastrand::Rng);

impl Read for Noise {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        self.0.fill(to);
        Ok(to.len())
    }
}
