//! Why a response could not be shaped.

use crate::key::KeyId;

/// The reason why a response could not be shaped. Its reader is the operator: a client sees the vendor's internal
/// error at most.
///
/// ```
/// use tower_api_key::shaping::{Inflection, Shape, ShapingFailure};
///
/// let shape = Shape::new().with_inflection(Inflection::Camel);
/// assert_eq!(shape.apply("<p>").unwrap_err(), ShapingFailure::NotJson);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapingFailure {
    /// The body is larger than the layer collects.
    #[error(
        "the body is larger than `max_bytes`, {max_bytes} bytes: raise it, or answer with less"
    )]
    TooLarge {
        /// The most bytes that the layer collects.
        max_bytes: usize,
    },
    /// The body has a content coding, although the request accepted none.
    #[error("the body has a `Content-Encoding`: put the layer that compresses outside of this one")]
    Encoded,
    /// The body is a part of a representation (status 206), or a change of one (226).
    #[error("the body is a part of a document: let the service answer without ranges")]
    Partial,
    /// The body is a sequence of JSON texts, or has parts that may be JSON.
    #[error("the body is a stream or has several parts: answer with one JSON document")]
    Stream,
    /// The body is a script, and a blocklist is in force.
    #[error("the body is a script, which may call a function with JSON: answer with JSON instead")]
    Script,
    /// The response opens a tunnel or another protocol, and a blocklist is in force.
    #[error(
        "the response opens a tunnel or another protocol: put the layer only around routes that answer with documents"
    )]
    Tunnel,
    /// The body is not JSON, although its `Content-Type` says so, or although it has none.
    #[error("the body is not JSON in UTF-8: correct it, or its `Content-Type`")]
    NotJson,
    /// The body nests deeper than the layer reads.
    #[error("the body nests deeper than {max_depth} levels: answer with a flatter document")]
    TooDeep {
        /// The most levels that the layer reads.
        max_depth: usize,
    },
    /// The request has no grant, and nothing says how requests without a key are answered.
    #[error(
        "the request has no grant: put the layer inside of a gate that leaves its grant, and call `anonymous` if the \
         gate is optional"
    )]
    NoGrant,
    /// The key's record has settings that cannot be read.
    #[error("the record of key `{key}`: {problem}")]
    KeySettings {
        /// The key.
        key: KeyId,
        /// What is wrong with its settings.
        problem: String,
    },
}
