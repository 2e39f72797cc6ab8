//! Texts of files: TOML and JSON become one tree, in which every value knows its place.

mod bounded;
mod elsewhere;
mod fingerprint;
mod json_text;
mod node;
mod source;
mod syntax;
mod toml_text;

pub(super) use elsewhere::{Surroundings, SystemSurroundings, fill_in};
pub(super) use fingerprint::fingerprint;
#[cfg(test)]
pub(super) use node::NodeIds;
pub(super) use node::{Content, Field, Node, NodeId, Origin, shortened};
pub use source::FileFormat;
pub(super) use source::SourceText;
pub(super) use syntax::SyntaxError;
