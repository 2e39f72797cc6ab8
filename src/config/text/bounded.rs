//! Files of a bounded size.

use std::fs::Metadata;
use std::io::ErrorKind::InvalidInput;
use std::io::{Error, Read};
use std::path::Path;

/// Reads the text of a file, or `None` if it has more bytes. Takes only regular files: a pipe would block, and what a
/// device or a pipe gives is gone after one look.
pub(super) fn read_at_most(path: &Path, bytes: u64) -> std::io::Result<Option<String>> {
    // Before it is opened: that alone blocks with a pipe. And after: the path may lead to another file by now.
    regular(&std::fs::metadata(path)?)?;
    let file = std::fs::File::open(path)?;
    regular(&file.metadata()?)?;
    let mut text = String::new();
    let read = file.take(bytes + 1).read_to_string(&mut text)?;
    Ok(u64::try_from(read).is_ok_and(|read| read <= bytes).then_some(text))
}

fn regular(found: &Metadata) -> std::io::Result<()> {
    let problem = "this is a folder, a pipe or a device: name a regular file";
    if found.is_file() { Ok(()) } else { Err(Error::new(InvalidInput, problem)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_length_at_most() {
        let path = std::env::temp_dir().join(format!("bounded-{}", std::process::id()));
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read_at_most(&path, 5).unwrap().as_deref(), Some("12345"));
        assert_eq!(read_at_most(&path, 4).unwrap(), None);
        std::fs::remove_file(&path).unwrap();
        assert!(read_at_most(&path, 4).is_err());
        for other in ["/dev/zero", "/"].into_iter().filter(|path| Path::new(path).exists()) {
            let error = read_at_most(Path::new(other), 9).unwrap_err().to_string();
            assert!(error.contains("regular file"), "{error}");
        }
    }
}
