//! Figures for the plots: a JSON object per line.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

pub struct Lines {
    file: BufWriter<File>,
}

impl Lines {
    pub fn create(path: &Path) -> Self {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).unwrap();
        }
        Lines {
            file: BufWriter::new(File::create(path).unwrap()),
        }
    }

    pub fn push(&mut self, figures: &serde_json::Value) {
        writeln!(self.file, "{figures}").unwrap();
    }

    pub fn finish(mut self) {
        self.file.flush().unwrap();
    }
}
