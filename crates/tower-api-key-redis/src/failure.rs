//! Why Redis did not answer, for the operator, and what follows from it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerError};

use super::refusal::Refusal;
use super::unreachable::{Cause, Unreachable};

/// Says why Redis did not answer: the cause, and what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Failure {
    #[error("Redis did not answer within {0:?}; what it was asked may have been charged")]
    Timeout(Duration),
    /// With the source of the failure that is told.
    #[error("Redis is not asked until it answers again: {0}")]
    Down(Arc<Self>, #[source] Option<Cause>),
    #[error("Redis cannot be reached: {0}")]
    Connection(Unreachable, #[source] Option<Cause>),
    #[error("Redis refused: {0}")]
    Refused(Refusal),
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
    /// The connection is gone, or leads to a server that cannot serve; another may lead elsewhere.
    /// Nothing was charged, or it was and nobody knows.
    Reconnect,
    /// The server has lost its scripts.
    LoadScript,
    /// The server is there, and said no; if it says so again and again, it is not asked for a while.
    Count,
    /// It is about the data of one account, and says nothing of the server.
    None,
}

impl Failure {
    /// Tells that no call is made since this failure.
    pub(super) fn down(since: &Arc<Self>) -> Self {
        let cause = match &**since {
            Self::Connection(_, cause) => cause.clone(),
            _ => None,
        };
        Self::Down(Arc::clone(since), cause)
    }

    /// Reads the answer to a call.
    pub(super) fn new(error: &RedisError) -> (Self, Consequence) {
        match error.kind() {
            ErrorKind::Io | ErrorKind::Parse | ErrorKind::AuthenticationFailed => {
                (Self::unreachable(error), Consequence::Reconnect)
            }
            ErrorKind::InvalidClientConfig => (Self::unreachable(error), Consequence::Count),
            ErrorKind::UnexpectedReturnType => (Self::Nonsense, Consequence::Count),
            _ => {
                let code = error.code().unwrap_or_else(|| error.category());
                let refusal = Refusal::new(code, error.detail());
                let consequence = match refusal.code() {
                    "NOSCRIPT" => Consequence::LoadScript,
                    "WRONGTYPE" => Consequence::None,
                    _ if refusal.is_not_here() || error.is_unrecoverable_error() => {
                        Consequence::Reconnect
                    }
                    _ => Consequence::Count,
                };
                (Self::Refused(refusal), consequence)
            }
        }
    }

    /// Reads why no connection was made. What a server says of the greeting may quote the password, so
    /// only its code is kept.
    pub(super) fn connecting(error: &RedisError) -> Self {
        match error.source().and_then(|source| source.downcast_ref::<ServerError>()) {
            Some(said) => Self::Refused(Refusal::new(said.code(), None)),
            None => Self::new(error).0,
        }
    }

    fn unreachable(error: &RedisError) -> Self {
        let cause = error.source().and_then(|source| source.downcast_ref::<Cause>());
        Self::Connection(Unreachable::new(error, cause), cause.cloned())
    }

    /// Returns true if the connection was given up, so that a call that must not be made twice was not
    /// made again.
    pub(super) const fn is_of_connection(&self) -> bool {
        match self {
            Self::Connection(..) => true,
            Self::Refused(refusal) => refusal.is_not_here(),
            _ => false,
        }
    }
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self::new(&error).0
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_cause_is_told_by_its_name_and_kept_as_it_came() {
        let refused = RedisError::from(io::Error::from(io::ErrorKind::ConnectionRefused));
        let (failure, consequence) = Failure::new(&refused);
        assert!(failure.to_string().contains("connection refused"), "{failure}");
        let source = failure.source().unwrap().to_string();
        assert_eq!(source, "connection refused");
        assert_eq!(consequence, Consequence::Reconnect);
        let down = Failure::down(&Arc::new(failure));
        assert!(down.to_string().contains("connection refused"), "{down}");
        assert_eq!(down.source().unwrap().to_string(), source, "told once");
    }

    #[test]
    fn what_is_no_refusal_of_the_server_is_told_apart() {
        for (kind, consequence) in [
            (ErrorKind::AuthenticationFailed, Consequence::Reconnect),
            (ErrorKind::UnexpectedReturnType, Consequence::Count),
            (ErrorKind::InvalidClientConfig, Consequence::Count),
            (ErrorKind::Client, Consequence::Count),
        ] {
            let error = RedisError::from((kind, "said"));
            assert_eq!(Failure::new(&error).1, consequence, "{kind:?}");
        }
    }
}
