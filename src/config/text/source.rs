//! The text of a file, and its lines.

use std::io::Error;
use std::io::ErrorKind::FileTooLarge;
use std::ops::Range;
use std::path::Path;

use super::bounded::read_at_most;
use super::elsewhere::SystemSurroundings;
use super::node::Node;
use super::syntax::SyntaxError;
use super::{json_text, toml_text};

/// The form in which a file describes a front door.
///
/// ```
/// use tower_api_key::config::FileFormat;
///
/// assert_eq!(FileFormat::of_path("gate.json"), FileFormat::Json);
/// assert_eq!(FileFormat::of_path("gate.toml"), FileFormat::Toml);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileFormat {
    /// [TOML 1.1](https://toml.io).
    Toml,
    /// JSON (RFC 8259).
    Json,
}

impl FileFormat {
    /// Returns [`Json`](Self::Json) for a name that ends in `.json`, else [`Toml`](Self::Toml).
    pub fn of_path(path: impl AsRef<Path>) -> Self {
        let is_json = path.as_ref().extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
        if is_json { Self::Json } else { Self::Toml }
    }
}

/// The most bytes of a file. A thousand routes have a tenth of that.
const MAX_FILE_BYTES: usize = 1024 * 1024;
const TOO_LONG: &str = "the file has more than 1 MiB";

/// A file as it was read.
#[derive(Clone)]
pub(in crate::config) struct SourceText {
    /// The name of the file, for messages.
    pub(in crate::config) name: String,
    pub(in crate::config) format: FileFormat,
    pub(in crate::config) text: String,
}

impl SourceText {
    /// Takes a text. A byte order mark is no part of it (TOML 1.1, "Preliminaries"; RFC 8259 §8.1).
    pub(in crate::config) fn new(name: String, format: FileFormat, mut text: String) -> Self {
        if text.starts_with('\u{feff}') {
            text.remove(0);
        }
        Self { name, format, text }
    }

    /// Reads a file, and returns what it can take fields from.
    pub(in crate::config) fn open(path: &Path) -> std::io::Result<(Self, SystemSurroundings)> {
        let most = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX);
        let text = read_at_most(path, most)?.ok_or_else(|| Error::new(FileTooLarge, TOO_LONG))?;
        let name = path.display().to_string();
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let source = Self::new(name, FileFormat::of_path(path), text);
        Ok((source, SystemSurroundings { folder }))
    }

    pub(in crate::config) fn tree(&self) -> Result<Node, Vec<SyntaxError>> {
        if self.text.len() > MAX_FILE_BYTES {
            return Err(vec![SyntaxError::new(0..0, TOO_LONG)]);
        }
        match self.format {
            FileFormat::Toml => toml_text::read(&self.text),
            FileFormat::Json => json_text::read(&self.text),
        }
    }

    /// Returns the line and the column of a byte, both from 1; the column counts characters.
    pub(in crate::config) fn line_and_column(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..self.boundary_before(byte)).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        (before.matches('\n').count() + 1, column + 1)
    }

    /// Returns the place of the character that a byte is part of.
    fn boundary_before(&self, byte: usize) -> usize {
        (0..=byte).rev().take(4).find(|at| self.text.is_char_boundary(*at)).unwrap_or(byte)
    }

    /// Returns the bytes of the lines on which a span lies.
    pub(in crate::config) fn lines_of(&self, span: &Range<usize>) -> Range<usize> {
        let start = self
            .text
            .get(..span.start)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |end| end + 1);
        let last = span.end.saturating_sub(1).max(span.start);
        let end = self.text.get(last..).and_then(|rest| rest.find('\n'));
        start..end.map_or(self.text.len(), |length| last + length)
    }
}

/// Hides the text: it may hold secrets.
impl std::fmt::Debug for SourceText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceText").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "\u{feff}a = 1\r\n\t\u{65e5}\u{672c} = 2\n\n\u{1f511} = 3";
        let source = SourceText::new(String::new(), FileFormat::Toml, text.to_owned());
        assert!(source.text.starts_with('a'), "a byte order mark is no part of the text");
        for (part, place) in [("a", (1, 1)), ("1", (1, 5)), ("\u{672c}", (2, 3)), ("3", (4, 5))] {
            let byte = source.text.find(part).unwrap();
            assert_eq!(source.line_and_column(byte), place, "{part}");
        }
        // A byte inside of a character, and one behind the text.
        let key = source.text.find('\u{1f511}').unwrap();
        assert_eq!(source.line_and_column(key + 2), (4, 1));
        assert_eq!(source.line_and_column(1_000), (4, 6));
    }

    #[test]
    fn the_lines_of_a_span_are_whole() {
        let source = SourceText::new(String::new(), FileFormat::Toml, "a\nbc\nd".to_owned());
        for (span, lines) in [(0..1, "a"), (3..4, "bc"), (2..6, "bc\nd"), (2..2, "bc"), (6..6, "d")]
        {
            assert_eq!(source.text.get(source.lines_of(&span)), Some(lines), "{span:?}");
        }
    }
}
