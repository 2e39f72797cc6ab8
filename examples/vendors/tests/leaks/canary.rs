//! A key that is looked for, and the forms in which it could show.

use std::fmt::{Debug, Display, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tower_api_key::key::{Issuer, KeyDigest, KeyFormat, KeyHasher};

/// The characters of a key in a row, or of its base64, that are a leak.
const KEY_PART: usize = 8;
/// The bytes in a row that are one, where bytes are printed as numbers.
const BYTES: usize = 5;
/// A digest may show its first four bytes, which are eight digits.
const DIGEST_PART: usize = 9;

pub(crate) struct Canary {
    /// The whole key.
    pub(crate) key: String,
    /// The part of it that nobody else knows.
    secret: String,
}

impl Canary {
    /// Makes a key of this prefix, which everybody knows, and so many random digits.
    pub(crate) fn new(prefix: &str, digits: u16) -> Self {
        let issuer = Issuer::new(KeyFormat::hex(digits), KeyHasher::sha256());
        let secret = issuer.issue(None).unwrap().expose().to_ascii_lowercase();
        Self { key: format!("{prefix}{secret}"), secret }
    }

    /// Takes a key that was issued, with the length of what everybody knows of it.
    pub(crate) fn of(key: &str, prefix: usize) -> Self {
        Self { key: key.to_owned(), secret: key[prefix..].to_owned() }
    }

    pub(crate) fn digest(&self) -> KeyDigest {
        KeyHasher::sha256().digest(self.key.as_bytes())
    }

    /// Lists what a text shows of the key or of its digest.
    pub(crate) fn shown_in(&self, text: &str) -> Vec<String> {
        let digest = self.digest();
        let mut wanted = self.key_parts();
        wanted.extend(parts(&hex(digest.as_bytes()), DIGEST_PART));
        wanted.extend(numbers(digest.as_bytes()));
        wanted.extend(parts(&STANDARD.encode(digest.as_bytes()), DIGEST_PART));
        found(wanted, text)
    }

    /// Lists what a text shows of the key, where the digest is in its place.
    pub(crate) fn key_shown_in(&self, text: &str) -> Vec<String> {
        found(self.key_parts(), text)
    }

    fn key_parts(&self) -> Vec<String> {
        let mut wanted = parts(&self.secret, KEY_PART);
        // However it falls among the three bytes of a group.
        for before in ["", "x", "xx"] {
            let coded = STANDARD.encode(format!("{before}{}", self.secret));
            wanted.extend(parts(&coded[4..coded.len() - 4], KEY_PART));
        }
        wanted.extend(numbers(self.secret.as_bytes()));
        wanted.extend(parts(&hex(self.secret.as_bytes()), 2 * KEY_PART));
        wanted
    }

    #[track_caller]
    pub(crate) fn is_not_in(&self, text: &str, what: &str) {
        let shown = self.shown_in(text);
        assert!(shown.is_empty(), "{what} shows {shown:?}:\n{text}");
    }
}

/// Writes a Basic credential.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn found(mut wanted: Vec<String>, text: &str) -> Vec<String> {
    let text = text.to_ascii_lowercase();
    wanted.retain(|part| text.contains(&part.to_ascii_lowercase()));
    wanted
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn parts(text: &str, length: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.windows(length).map(|part| part.iter().collect()).collect()
}

/// Lists bytes as `Debug` prints them.
fn numbers(bytes: &[u8]) -> Vec<String> {
    let inner = |part: &[u8]| format!("{part:?}").trim_matches(['[', ']']).to_owned();
    bytes.windows(BYTES).map(inner).collect()
}

/// Prints something as a log does.
pub(crate) fn printed(value: &(impl Debug + ?Sized)) -> String {
    format!("{value:?}\n")
}

/// Prints an error, and all that caused it.
pub(crate) fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        text += &format!("{}\n{}", error as &dyn Display, printed(error));
        cause = error.source();
    }
    text
}

#[test]
fn a_canary_is_found_in_every_form() {
    let canary = Canary::new("key_", 40);
    let (digest, key) = (canary.digest(), &canary.key);
    for text in [
        key.clone(),
        key.to_ascii_uppercase(),
        format!("…{}…", &key[20..28]),
        basic("api", key),
        basic("", key),
        basic(key, ""),
        digest.to_hex(),
        digest.to_hex()[..9].to_owned(),
        digest.to_hex()[32..41].to_owned(),
        printed(&digest.as_bytes()),
        printed(&key.as_bytes()[30..].to_vec()),
        STANDARD.encode(digest.as_bytes()),
    ] {
        assert!(!canary.shown_in(&text).is_empty(), "{text}");
    }
    canary.is_not_in(&printed(&digest), "a digest's Debug");
    canary.is_not_in(&digest.to_hex()[..8], "the beginning of a digest");
    canary.is_not_in("key_", "a prefix");
}
