//! Why the file of a front door describes none.

use std::fmt;

use super::hidden::HiddenTexts;
use super::mistake::Mistake;
use super::picture::picture;
use crate::config::read::{Found, MAX_MISTAKES};
use crate::config::text::{Node, SourceText, SyntaxError};

/// Reports why a file describes no front door: all of its mistakes, each with line, column and field.
///
/// `Display` shows each mistake below the line of the file on which it is. It hides every text of that line that could
/// be a secret.
///
/// ```
/// use tower_api_key::config::{FileFormat, FrontDoor};
///
/// let file = "[profile]\nbase = \"persona\"\nrealn = \"acme\"\n";
/// let error = FrontDoor::parse("gate.toml", file, FileFormat::Toml).unwrap_err();
/// let [mistake, ..] = error.mistakes() else { panic!("there is a mistake") };
/// assert_eq!((mistake.line(), mistake.column(), mistake.field()), (3, 1, "profile.realn"));
/// assert_eq!(mistake.help(), Some("did you mean `realm`?"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum FrontDoorError {
    /// The file cannot be read.
    #[non_exhaustive]
    Unreadable {
        /// The name of the file.
        name: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The file has mistakes.
    #[non_exhaustive]
    Mistaken {
        /// The mistakes, in the order of the file.
        mistakes: Vec<Mistake>,
        /// The mistakes as they are shown.
        text: String,
    },
}

impl FrontDoorError {
    /// Returns the mistakes in the order of the file. There is none if the file cannot be read.
    pub fn mistakes(&self) -> &[Mistake] {
        match self {
            Self::Mistaken { mistakes, .. } => mistakes,
            Self::Unreadable { .. } => &[],
        }
    }

    pub(in crate::config) fn of_syntax(source: &SourceText, errors: Vec<SyntaxError>) -> Self {
        let errors =
            errors.into_iter().take(MAX_MISTAKES).map(|error| Mistake::of_syntax(source, error));
        Self::new(source, None, errors.collect())
    }

    pub(in crate::config) fn of_values(source: &SourceText, root: &Node, found: &[Found]) -> Self {
        let hidden = HiddenTexts::of(root);
        let mistakes = found.iter().map(|found| Mistake::of_value(source, root, found, &hidden));
        Self::new(source, Some(root), mistakes.collect())
    }

    fn new(source: &SourceText, root: Option<&Node>, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| mistake.span.start);
        let pictures: Vec<String> =
            mistakes.iter().map(|mistake| picture(source, root, mistake)).collect();
        let text = pictures.join("\n\n");
        Self::Mistaken { mistakes, text }
    }
}

impl fmt::Display for FrontDoorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { name, source } => {
                write!(f, "{name}: the file cannot be read: {source}")
            }
            Self::Mistaken { text, .. } => f.write_str(text),
        }
    }
}

impl std::error::Error for FrontDoorError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::Mistaken { .. } => None,
        }
    }
}
