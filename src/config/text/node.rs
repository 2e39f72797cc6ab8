//! The tree that a file describes, in which every value knows its place.

use std::ops::Range;

/// One value of a file.
#[derive(Debug)]
pub(in crate::config) struct Node {
    pub(in crate::config) id: NodeId,
    /// The bytes of the value in the file.
    pub(in crate::config) span: Range<usize>,
    pub(in crate::config) origin: Origin,
    pub(in crate::config) content: Content,
}

/// Names a value of one file.
pub(in crate::config) type NodeId = u32;

/// Where the content of a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) enum Origin {
    /// It stands in the file.
    Here,
    /// It is that of an environment variable.
    Environment(String),
    /// It is that of another file.
    File(String),
}

/// The content of a value.
pub(in crate::config) enum Content {
    Null,
    Truth(bool),
    Whole(i64),
    Decimal(f64),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Field>),
}

/// One field of a table.
#[derive(Debug)]
pub(in crate::config) struct Field {
    pub(in crate::config) name: String,
    /// The bytes of the name in the file.
    pub(in crate::config) name_span: Range<usize>,
    pub(in crate::config) value: Node,
}

impl Content {
    /// Returns the word for values of this kind.
    pub(in crate::config) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Truth(_) => "true or false",
            Self::Whole(_) => "a whole number",
            Self::Decimal(_) => "a decimal number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Shows the kinds of values, and no texts: a value can be a secret.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Table(fields) => f.debug_list().entries(fields).finish(),
            other => f.write_str(other.kind()),
        }
    }
}

/// Gives ids to the values of one file.
#[derive(Debug, Default)]
pub(in crate::config) struct NodeIds(NodeId);

impl NodeIds {
    /// Creates a value of the file.
    pub(in crate::config) const fn node(&mut self, span: Range<usize>, content: Content) -> Node {
        self.0 += 1;
        Node { id: self.0, span, origin: Origin::Here, content }
    }
}

/// The most tables and lists that can be inside of each other. A front door has about ten.
pub(super) const MAX_DEPTH: usize = 64;

/// The most characters of a text that a message shows.
const MAX_SHOWN: usize = 80;

impl Node {
    /// Takes a field out of a table.
    pub(in crate::config) fn take(&mut self, name: &str) -> Option<Field> {
        let Content::Table(fields) = &mut self.content else { return None };
        let index = fields.iter().position(|field| field.name == name)?;
        Some(fields.remove(index))
    }

    /// Puts a field back into a table.
    pub(in crate::config) fn put(&mut self, field: Field) {
        if let Content::Table(fields) = &mut self.content {
            fields.push(field);
        }
    }

    /// Returns the path to a value, as `profile.answers.key_unknown` or `routes[2].cost`, and the place of its
    /// name if it has one.
    pub(in crate::config) fn path_to(
        &self,
        id: NodeId,
    ) -> Option<(String, &Self, Option<Range<usize>>)> {
        if self.id == id {
            return Some((String::new(), self, None));
        }
        let below = |path: String, rest: &str| match rest {
            "" => path,
            rest if rest.starts_with('[') => path + rest,
            rest => format!("{path}.{rest}"),
        };
        match &self.content {
            Content::Table(fields) => fields.iter().find_map(|field| {
                let (rest, node, name) = field.value.path_to(id)?;
                let name = if rest.is_empty() { Some(field.name_span.clone()) } else { name };
                Some((below(shown_name(&field.name), &rest), node, name))
            }),
            Content::List(items) => items.iter().enumerate().find_map(|(index, item)| {
                let (rest, node, name) = item.path_to(id)?;
                Some((below(format!("[{index}]"), &rest), node, name))
            }),
            _ => None,
        }
    }
}

/// Writes a name as TOML does: in quotes if it has more than letters, digits, `_` and `-`.
fn shown_name(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.len() <= MAX_SHOWN && name.bytes().all(is_bare) {
        name.to_owned()
    } else {
        format!("\"{}\"", shortened(name))
    }
}

/// Escapes a text of the file for a message, and cuts it where no reader reads on.
pub(in crate::config) fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::text::{FileFormat, SourceText};

    #[test]
    fn a_path_names_fields_and_items() {
        let text = "[a]\nb = [1, { \"c d\" = 2 }]\n\"\" = 3\n";
        let source = SourceText::new(String::new(), FileFormat::Toml, text.to_owned());
        let root = source.tree().unwrap();
        let mut paths: Vec<(String, bool)> = (1..=root.id)
            .filter_map(|id| root.path_to(id))
            .map(|(path, _, name)| (path, name.is_some()))
            .collect();
        paths.sort();
        let expected = [
            ("", false),
            ("a", true),
            ("a.\"\"", true),
            ("a.b", true),
            ("a.b[0]", false),
            ("a.b[1]", false),
            ("a.b[1].\"c d\"", true),
        ];
        assert_eq!(paths, expected.map(|(path, named)| (path.to_owned(), named)));
        assert!(root.path_to(root.id + 1).is_none());
        let shown = format!("{root:?}");
        assert!(shown.contains("a whole number") && !shown.contains("Text"), "{shown}");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(shortened("a\nb"), "a\\nb");
        assert_eq!(shortened(&"x".repeat(81)).chars().count(), 81);
        assert!(shortened(&"x".repeat(81)).ends_with('…'));
    }
}
