//! One mistake in the file of a front door.

use std::fmt;
use std::ops::Range;

use super::hidden::HiddenTexts;
use crate::config::nearest::nearest;
use crate::config::read::{FaultKind, Found};
use crate::config::text::{Content, Node, Origin, SourceText, SyntaxError, shortened};

/// A mistake in the file of a front door: where it is, what is wrong, and what to do.
///
/// It holds no value that was taken from the environment or from another file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    line: usize,
    column: usize,
    field: String,
    message: String,
    help: Option<String>,
    /// The bytes to point at.
    pub(super) span: Range<usize>,
    /// The text at the span is wrong, and is no secret.
    pub(super) shows_value: bool,
}

impl Mistake {
    /// Returns the line, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Returns the column, in characters from 1.
    pub const fn column(&self) -> usize {
        self.column
    }

    /// Returns the path of the field, as `routes[2].cost`. It is empty for the whole file, and for a place that is
    /// no TOML or no JSON.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Returns what is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns what to do, if there is more to say than the message does.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    pub(super) fn of_syntax(source: &SourceText, error: SyntaxError) -> Self {
        let (line, column) = source.line_and_column(error.span.start);
        let SyntaxError { span, message } = error;
        Self { line, column, field: String::new(), message, help: None, span, shows_value: false }
    }

    pub(super) fn of_value(
        source: &SourceText,
        root: &Node,
        found: &Found,
        hidden: &HiddenTexts,
    ) -> Self {
        let (path, node, name) = root.path_to(found.node).unwrap_or((String::new(), root, None));
        let is_of_name = match &found.kind {
            FaultKind::UnknownField { .. } => true,
            FaultKind::Problem(problem) => problem.is_of_name,
            _ => false,
        };
        let span = match (name, is_of_name) {
            (Some(name), true) => name,
            // A table with a head of its own spans many lines.
            (Some(name), false)
                if source.line_and_column(node.span.start).0
                    != source.line_and_column(node.span.end).0 =>
            {
                name
            }
            _ => node.span.clone(),
        };
        let (line, column) = source.line_and_column(span.start);
        let shows_value = !is_of_name
            && node.origin == Origin::Here
            && !may_be_secret(&path)
            && !is_misplaced(&found.kind, node);
        let mut message = told(&found.kind, shows_value);
        if hidden.are_in(&message) {
            // Rules about a value are no secret, but what a message quotes of it is.
            "the gate refuses this value. The reason quotes a value from elsewhere, and is not shown"
                .clone_into(&mut message);
        }
        let from = match &node.origin {
            Origin::Here => None,
            Origin::Environment(name) => {
                Some(format!("the value is that of the environment variable `{name}`"))
            }
            Origin::File(path) => Some(format!("the value is that of the file `{path}`")),
        };
        let help = from.or_else(|| advice(&found.kind, shows_value || is_of_name));
        Self { line, column, field: path, message, help, span, shows_value }
    }
}

/// Returns true for a text where no text belongs, and for one that looks like an address. `store = "postgres://…"` may
/// hold a password, and the mistake is found without it.
fn is_misplaced(kind: &FaultKind, node: &Node) -> bool {
    let Content::Text(text) = &node.content else { return false };
    matches!(kind, FaultKind::Unfit { .. }) || text.contains("://") || text.contains('@')
}

/// Names the last field of a path whose value no message may show.
pub(super) fn may_be_secret(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let last = path.rsplit('.').next().unwrap_or(&path);
    let names = |words: &[&str], text: &str| words.iter().any(|word| text.contains(word));
    // `profile.credentials` is a list of places where keys stand, and no secret inside.
    names(&["url", "token", "key", "auth", "credential", "bearer", "cookie", "sign"], last)
        || names(&["pepper", "secret", "password", "passwd", "private", "dsn"], &path)
}

fn told(kind: &FaultKind, shows_value: bool) -> String {
    match kind {
        FaultKind::UnknownField { name, .. } => {
            format!("there is no field `{}`", shortened(name))
        }
        FaultKind::UnknownText { given, .. } if shows_value => {
            format!("`{}` is none of the values that this field can have", shortened(given))
        }
        FaultKind::UnknownText { .. } => {
            "this is none of the values that the field can have".to_owned()
        }
        FaultKind::MissingField(name) => format!("the field `{name}` is missing"),
        FaultKind::Unfit { found, expected } if !shows_value && found != "this text" => {
            format!("this value does not fit: expected {expected}")
        }
        FaultKind::Unfit { found, expected } => {
            format!("{found} does not fit: expected {expected}")
        }
        FaultKind::Problem(problem) => problem.text.clone(),
    }
}

fn advice(kind: &FaultKind, may_guess: bool) -> Option<String> {
    if let FaultKind::Problem(problem) = kind {
        return problem.help.map(str::to_owned);
    }
    let (FaultKind::UnknownField { name, known } | FaultKind::UnknownText { given: name, known }) =
        kind
    else {
        return None;
    };
    Some(match nearest(name, known).filter(|_| may_guess) {
        Some(right) => format!("did you mean `{right}`?"),
        None if known.is_empty() => "this table has no fields".to_owned(),
        None => format!(
            "write one of {}",
            known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    })
}

/// Writes the field, the problem and the remedy on one line.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "`{}`: ", self.field)?;
        }
        f.write_str(&self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_field_tells_whether_it_may_be_secret() {
        for (path, expected) in [
            ("store.url", true),
            ("server.authorization", true),
            ("server.API_KEY", true),
            ("server.basicAuth", true),
            ("server.credential", true),
            ("server.dsn", true),
            ("server.passwd", true),
            ("server.private.pem", true),
            ("server.session_cookie", true),
            ("server.bearer", true),
            ("server.signing", true),
            ("profile.credentials[0].scheme", false),
            ("routes[0].path", false),
        ] {
            assert_eq!(may_be_secret(path), expected, "{path}");
        }
    }
}
