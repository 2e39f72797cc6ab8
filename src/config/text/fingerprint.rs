//! A hash of all that a file says, by which a change is seen.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use super::node::{Content, Node, Origin};
use super::source::SourceText;

/// A random number of this process, so that no secret can be guessed from a hash that leaked.
static SALT: LazyLock<[u64; 2]> =
    LazyLock::new(|| [0, 1].map(|it| RandomState::new().hash_one(it)));

/// Returns a hash of a file's text, and of the values that it takes from elsewhere, salted for this process.
pub(in crate::config) fn fingerprint(source: &SourceText, root: &Node) -> [u8; 32] {
    let mut hash = Sha256::new();
    SALT.iter().for_each(|part| hash.update(part.to_le_bytes()));
    hash.update(source.text.as_bytes());
    add(root, &mut hash);
    hash.finalize().into()
}

fn add(node: &Node, hash: &mut Sha256) {
    match &node.content {
        Content::Text(text) if node.origin != Origin::Here => {
            // With its length, so that no text can pass for two.
            hash.update(text.len().to_le_bytes());
            hash.update(text.as_bytes());
        }
        Content::List(items) => items.iter().for_each(|item| add(item, hash)),
        Content::Table(fields) => fields.iter().for_each(|field| add(&field.value, hash)),
        _ => {}
    }
}
