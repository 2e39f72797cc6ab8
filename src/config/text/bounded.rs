//! Files of a bounded size.

use std::io::Read;
use std::path::Path;

/// Reads the text of a file, or `None` if it has more bytes. A file such as `/dev/zero` has no length to ask for.
pub(super) fn read_at_most(path: &Path, bytes: u64) -> std::io::Result<Option<String>> {
    let mut text = String::new();
    let read = std::fs::File::open(path)?.take(bytes + 1).read_to_string(&mut text)?;
    Ok(u64::try_from(read).is_ok_and(|read| read <= bytes).then_some(text))
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
        #[cfg(unix)]
        assert_eq!(read_at_most(Path::new("/dev/zero"), 9).unwrap(), None);
    }
}
