//! The values of a file that no message shows.

use crate::config::text::{Content, Node, Origin};

/// The texts that a file takes from elsewhere. A message of the builder can quote a value, and a quoted value can be one
/// of them.
#[derive(Default)]
pub(super) struct HiddenTexts(Vec<String>);

/// A part of a secret with fewer letters and digits is not looked for: it would be found in every message.
const FEWEST: usize = 4;

impl HiddenTexts {
    pub(super) fn of(root: &Node) -> Self {
        let mut hidden = Self::default();
        hidden.add(root);
        hidden
    }

    fn add(&mut self, node: &Node) {
        match &node.content {
            Content::Text(text) if node.origin != Origin::Here => {
                // Messages quote values escaped, as patterns, or in lower case. The longest word stays as it is.
                let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
                let longest = words.max_by_key(|word| word.len()).unwrap_or_default();
                self.0.extend([text.trim(), longest].map(str::to_ascii_lowercase));
            }
            Content::List(items) => items.iter().for_each(|item| self.add(item)),
            Content::Table(fields) => fields.iter().for_each(|field| self.add(&field.value)),
            _ => {}
        }
    }

    /// Returns true if a message shows one of the texts, or its longest word.
    pub(super) fn are_in(&self, message: &str) -> bool {
        let message = message.to_ascii_lowercase();
        self.0.iter().any(|text| text.len() >= FEWEST && message.contains(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::text::NodeIds;

    #[test]
    fn a_text_from_elsewhere_is_found_as_messages_write_it() {
        let mut ids = NodeIds::default();
        let mut node = ids.node(0..0, Content::Text("Hunter2\tis.it".to_owned()));
        node.origin = Origin::Environment("SECRET".to_owned());
        let hidden = HiddenTexts::of(&node);
        for (message, expected) in [
            (r"the value `Hunter2\tis.it` is wrong", true),
            (r"`hunter2\tis\.it` matches nothing", true),
            ("the value is wrong", false),
        ] {
            assert_eq!(hidden.are_in(message), expected, "{message}");
        }
        let here = ids.node(0..0, Content::Text("Hunter2".to_owned()));
        assert!(!HiddenTexts::of(&here).are_in("Hunter2"));
    }
}
