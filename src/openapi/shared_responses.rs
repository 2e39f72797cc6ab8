//! Responses among the components of a document, to which operations refer.

use serde_json::{Map, Value, json};

/// Responses that operations refer to, each of them once.
#[derive(Debug)]
pub(super) struct SharedResponses {
    prefix: String,
    /// The names that the document has already.
    taken: Vec<String>,
    responses: Map<String, Value>,
}

impl SharedResponses {
    /// Starts with the responses that a document has.
    pub(super) fn new(prefix: &str, taken: impl Iterator<Item = String>) -> Self {
        Self { prefix: prefix.to_owned(), taken: taken.collect(), responses: Map::new() }
    }

    /// Returns a reference to a response, which is added if it is new. `name` is what its name begins with.
    pub(super) fn reference(&mut self, name: &str, response: Value) -> Value {
        let known = self.responses.iter().find(|(_, other)| **other == response);
        let name = if let Some((name, _)) = known {
            name.clone()
        } else {
            let first = format!("{}{name}", self.prefix);
            let numbered = (2..).map(|number| format!("{first}-{number}"));
            let mut names = std::iter::once(first.clone()).chain(numbered);
            let is_free =
                |name: &String| !self.taken.contains(name) && !self.responses.contains_key(name);
            let name = names.find(is_free).unwrap_or_default();
            self.responses.insert(name.clone(), response);
            name
        };
        json!({ "$ref": format!("#/components/responses/{name}") })
    }

    /// Returns the responses for the components.
    pub(super) fn into_components(self) -> Map<String, Value> {
        self.responses
    }
}
