//! Why Redis did not answer, for the operator.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Says why Redis did not answer. What a server says of its errors may quote what it was asked, which
/// names accounts and keys, so only its first word is kept.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Failure {
    #[error("Redis did not answer within {0:?}; what it was asked may have been charged")]
    Timeout(Duration),
    #[error("Redis is not asked until it answers again")]
    Down(#[source] Arc<Self>),
    #[error("Redis cannot be reached: {0}")]
    Connection(io::ErrorKind),
    #[error("Redis answered with an error: {0}")]
    Refused(String),
    #[error("Redis answered what the script never does")]
    Nonsense,
    #[error("the runtime that the connection was made in has ended")]
    RuntimeEnded,
    #[error("the call that this request waited for ended without an answer")]
    Abandoned,
}

/// What follows from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consequence {
    /// The connection is gone, and nothing was charged, or it was and nobody knows.
    Reconnect,
    /// The server has lost its scripts.
    LoadScript,
    /// The server is there, and said no.
    None,
}

impl Failure {
    pub(super) fn new(error: &RedisError) -> (Self, Consequence) {
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::NoScript) => {
                (Self::Refused("NOSCRIPT".into()), Consequence::LoadScript)
            }
            // A master that became a replica: its name may lead to the new master by now.
            ErrorKind::Server(ServerErrorKind::ReadOnly) => {
                (Self::Refused("READONLY".into()), Consequence::Reconnect)
            }
            ErrorKind::Io | ErrorKind::Parse => {
                let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
                let kind = cause.map_or(io::ErrorKind::Other, io::Error::kind);
                let kind = if error.is_timeout() { io::ErrorKind::TimedOut } else { kind };
                (Self::Connection(kind), Consequence::Reconnect)
            }
            _ => {
                let code = error.code().unwrap_or_default();
                let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase());
                let said = if is_code { code } else { error.category() };
                let consequence = if error.is_unrecoverable_error() {
                    Consequence::Reconnect
                } else {
                    Consequence::None
                };
                (Self::Refused(said.to_owned()), consequence)
            }
        }
    }
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self::new(&error).0
    }
}
