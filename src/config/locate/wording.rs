//! The builder's remedies in the words of a file.

use crate::config::read::{Contradiction, Path};
use crate::error::ConfigError;

/// The types that remedies name, before the name of a method, a constant or a variant.
const TYPES: [&str; 8] = [
    "AnonymousQuotas::",
    "CredentialSource::",
    "FailedAttempts::",
    "BasicKey::",
    "KeyFormat::",
    "Answer::",
    "TrustedProxies::",
    "Limiter::",
];

/// What is called in Rust, and written in a file.
const PHRASES: [(&str, &str); 14] = [
    ("remove one of the two calls", "remove one of the two"),
    ("call `", "set `"),
    ("`with_", "`"),
    ("`scheme(", "`named("),
    ("`pair(", "`named_pair("),
    ("`OneOf`", "`one_of`"),
    ("OneOf([", "one_of(["),
    ("`Present`", "`present`"),
    ("body `Json`", "body `json`"),
    ("same `only`", "same `kinds`"),
    ("in `of_quota`", "in `quota`"),
    ("and `of_quota`", "and `quota`"),
    ("dialect `Structured`", "dialect `structured`"),
    ("`ScopeRules`, field", "the field"),
];

/// Returns the mistake that the field at a path has to change.
pub(super) fn at(path: Path, error: &ConfigError) -> Contradiction {
    Contradiction::new(path, &of_a_file(&error.to_string()))
}

/// Writes what an error says with the names that a file has: `` `BasicKey::UserName` `` is `` `user_name` `` there.
fn of_a_file(error: &str) -> String {
    let mut text = error.to_owned();
    for name in TYPES {
        while let Some(start) = text.find(name) {
            let end = start + name.len();
            let rest = text.split_off(end);
            text.truncate(start);
            text.push_str(&snake(&rest));
        }
    }
    PHRASES.iter().fold(text, |text, (rust, file)| text.replace(rust, file))
}

/// Writes the first word of a text in snake case.
fn snake(text: &str) -> String {
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    let mut written = String::new();
    for letter in word.chars() {
        if letter.is_ascii_uppercase() && !written.is_empty() {
            written.push('_');
        }
        written.push(letter.to_ascii_lowercase());
    }
    written + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_has_the_names_of_a_file() {
        for (rust, file) in [
            ("read keys with `BasicKey::PasswordOf`", "read keys with `password_of`"),
            ("`BasicKey::UserName`: no", "`user_name`: no"),
            (
                "use `CredentialSource::wide_bearer` or `CredentialSource::header`",
                "use `wide_bearer` or `header`",
            ),
            ("call `optional`, or remove it", "set `optional`, or remove it"),
            ("nothing to change", "nothing to change"),
        ] {
            assert_eq!(of_a_file(rust), file);
        }
    }
}
