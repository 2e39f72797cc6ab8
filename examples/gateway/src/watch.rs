//! Notices that a file has changed.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The most bytes of a file that are read. A certificate with its chain has a few thousand.
const MOST_BYTES: u64 = 1 << 20;

/// What files held when they were read last.
///
/// The files are read again, not their times: a Kubernetes secret is a link to a link, and events are not delivered
/// on every file system. The files are small.
pub struct Watched {
    hasher: RandomState,
    /// A keyed hash of each file; `None` if it could not be read.
    files: BTreeMap<PathBuf, Option<u64>>,
}

impl Watched {
    /// Reads the files.
    pub fn new(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut watched = Self { hasher: RandomState::new(), files: BTreeMap::new() };
        watched.follow(files);
        watched
    }

    /// Watches these files from now on. What is known of a file that stays is kept.
    pub fn follow(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        let mut before = std::mem::take(&mut self.files);
        for file in files {
            let hash = before.remove(&file).unwrap_or_else(|| self.hash(&file));
            self.files.insert(file, hash);
        }
    }

    /// Reads the files again. Returns true if one of them has changed.
    pub fn has_changed(&mut self) -> bool {
        let files = self.files.keys().map(|file| (file.clone(), self.hash(file)));
        let files: BTreeMap<_, _> = files.collect();
        let has_changed = files != self.files;
        self.files = files;
        has_changed
    }

    fn hash(&self, file: &Path) -> Option<u64> {
        read(file).ok().map(|bytes| self.hasher.hash_one(bytes))
    }
}

/// Reads the beginning of a file, which may be a device without an end.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_end_is_read_in_part() {
        let zeros = Path::new("/dev/zero");
        assert_eq!(read(zeros).unwrap().len() as u64, MOST_BYTES);
        assert!(!Watched::new([zeros.to_owned()]).has_changed());
    }
}
