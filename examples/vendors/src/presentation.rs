//! Changes the case of JSON keys and removes blocked attributes, as a key's settings say.
//!
//! These are pure functions on JSON, so tests need no server.

use serde_json::Value;

/// The case of the keys of JSON objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inflection {
    /// `nameFirst`
    Camel,
    /// `name-first`
    Kebab,
    /// `name_first`
    Snake,
}

impl Inflection {
    /// Returns the case for a value of the `Key-Inflection` header.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "camel" => Some(Self::Camel),
            "kebab" => Some(Self::Kebab),
            "snake" => Some(Self::Snake),
            _ => None,
        }
    }

    /// Writes a key in this case. A key without letters and digits stays as it is.
    fn write(self, key: &str) -> String {
        let words = words(key);
        match self {
            _ if words.is_empty() => key.to_owned(),
            Self::Kebab => words.join("-"),
            Self::Snake => words.join("_"),
            Self::Camel => {
                let mut words = words.into_iter();
                let first = words.next().unwrap_or_default();
                words.fold(first, |key, word| key + &capitalized(&word))
            }
        }
    }
}

/// The attributes that a key must not see, in any case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Blocklist(Vec<Vec<String>>);

impl Blocklist {
    /// Reads comma-separated names.
    pub(crate) fn parse(names: &str) -> Self {
        let names = names.split(',').map(words);
        Self(names.filter(|words| !words.is_empty()).collect())
    }

    fn has(&self, key: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&words(key))
    }
}

/// Removes blocked attributes at any depth, and writes the other keys in this case. Without an inflection,
/// their case stays as it is.
pub(crate) fn present(
    value: Value,
    inflection: Option<Inflection>,
    blocklist: &Blocklist,
) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(key, _)| !blocklist.has(key));
            let written = kept.map(|(key, value)| {
                let key = inflection.map_or(key.clone(), |inflection| inflection.write(&key));
                (key, present(value, inflection, blocklist))
            });
            Value::Object(written.collect())
        }
        Value::Array(items) => {
            let items = items.into_iter();
            items.map(|item| present(item, inflection, blocklist)).collect()
        }
        scalar => scalar,
    }
}

/// Splits a key of any case into lower-case words: `HTTPStatus`, `http-status` and `http_status` have the same
/// words.
fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = key.chars().peekable();
    let mut before = ' ';
    while let Some(character) = characters.next() {
        let hump = character.is_uppercase()
            && (!before.is_uppercase()
                || characters.peek().is_some_and(|next| next.is_lowercase()));
        if hump || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
        before = character;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters.clone()).collect()
}
