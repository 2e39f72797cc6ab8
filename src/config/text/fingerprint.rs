//! A hash of all that a file says, by which a change is seen.

use sha2::{Digest, Sha256};

use super::node::{Content, Node, Origin};
use super::source::SourceText;

/// Returns a hash of a file's text, and of the values that it takes from elsewhere.
pub(in crate::config) fn fingerprint(source: &SourceText, root: &Node) -> [u8; 32] {
    let mut hash = Sha256::new();
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
