//! Why a request got no answer from an upstream.

use std::error::Error;

use thiserror::Error as ErrorDerive;

/// Why a request got no answer from an upstream. The client learns the kind only.
#[derive(Debug, ErrorDerive)]
pub(crate) enum SendError {
    /// No server could be reached.
    #[error("no server of the upstream can be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// The server did not answer in time.
    #[error("the upstream does not answer in time")]
    TooSlow,
    /// The server hung up, or answered what is not HTTP.
    #[error("the upstream broke the exchange off")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
    /// The client broke its request off, or paused for too long.
    #[error("the content of the request is incomplete")]
    Incomplete,
    /// The request has more content than its route takes.
    #[error("the content of the request is too large")]
    TooLarge,
    /// The request cannot be written for this upstream.
    #[error("the request cannot be forwarded")]
    Unsendable,
}
