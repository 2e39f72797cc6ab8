//! A place of a file that is no TOML or no JSON.

use std::ops::Range;

use super::node::MAX_DEPTH;

/// A place that cannot be read, and why.
#[derive(Debug)]
pub(in crate::config) struct SyntaxError {
    pub(in crate::config) span: Range<usize>,
    pub(in crate::config) message: String,
}

impl SyntaxError {
    pub(super) fn too_deep(span: Range<usize>) -> Self {
        let message = format!("more than {MAX_DEPTH} tables and lists are inside of each other");
        Self { span, message }
    }

    pub(super) fn new(span: Range<usize>, message: &str) -> Self {
        // The libraries say what they expect, and begin as they like.
        let mut letters = message.chars();
        let first = letters.next().map(|letter| letter.to_ascii_lowercase());
        Self { span, message: first.into_iter().chain(letters).collect() }
    }
}
