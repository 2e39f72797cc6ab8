//! The failures of calls to Redis, for the operator, and what the limiter does after each.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerError};

use super::redirect::Redirect;
use super::refusal::Refusal;
use super::unreachable::{Cause, Unreachable};
use super::wrong_server::WrongServer;

/// A failed call to Redis: the cause and the remedy.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Failure {
    #[error(
        "Redis did not answer within {0:?}, and may have charged the request: check the server's load, or \
         raise `RedisLimiterBuilder::timeout`"
    )]
    Timeout(Duration),
    /// With the source of the failure since which Redis is down.
    #[error("Redis is down, and a background task tries to connect: {0}")]
    Down(Arc<Self>, #[source] Option<Cause>),
    #[error("Redis cannot be reached: {0}")]
    Connection(Unreachable, #[source] Option<Cause>),
    #[error("Redis refused the call: {0}")]
    Refused(Refusal),
    #[error(
        "Redis answers a ping after {ping:.1?}, and `RedisLimiterBuilder::timeout` is {timeout:?}: set the timeout \
         to at least {:?}, or use a server that is nearer", advised(*ping)
    )]
    TooFar { ping: Duration, timeout: Duration },
    #[error("{0}")]
    WrongServer(#[from] WrongServer),
    #[error(
        "no primary has the account's slot: check `CLUSTER SLOTS`, and whether a replica takes over"
    )]
    NoPrimary,
    #[error("no Sentinel names the primary: {0}")]
    NoSentinel(Arc<Self>),
    #[error(
        "the Sentinels do not know the service: check the name given to `RedisLimiter::sentinel`"
    )]
    UnknownService,
    #[error("{0}: check `RedisLimiterBuilder::credentials` and `tls`")]
    Credentials(&'static str, #[source] Option<Cause>),
    #[cfg_attr(not(feature = "tls"), allow(dead_code))]
    #[error("a file of `RedisLimiterBuilder::tls` is not PEM: write certificates and a key there")]
    Certificates,
    #[error(
        "Redis gave an answer that the script never gives: check that the URL leads to Redis 6.2 or newer, \
         or to Valkey"
    )]
    Nonsense,
    #[error(
        "the connection's tokio runtime has ended: build the limiter on the runtime that serves requests"
    )]
    RuntimeEnded,
    #[error(
        "the call that this request waited for ended without an answer: serve requests on a tokio runtime \
         that outlives them"
    )]
    Abandoned,
}

/// What the limiter does after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consequence {
    /// Make another connection, which may lead to another server. The connection broke, or leads to a
    /// server that cannot serve. It is unknown whether the server ran the call.
    Reconnect,
    /// Load the script, which the server does not know.
    LoadScript,
    /// Count the failure. The server refused the call. After repeated refusals the limiter asks it no more
    /// for a while.
    Count,
    /// Do nothing. The failure is about the data of one account, not about the server.
    None,
}

impl Failure {
    /// Returns the failure of a call that is not made, because the server is down since `since`.
    pub(super) fn down(since: &Arc<Self>) -> Self {
        let cause = match &**since {
            Self::Connection(_, cause) | Self::Credentials(_, cause) => cause.clone(),
            _ => None,
        };
        Self::Down(Arc::clone(since), cause)
    }

    /// Returns the failure that an error means, and its consequence.
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
                    "WRONGTYPE" | "TRYAGAIN" => Consequence::None,
                    _ if refusal.is_not_here() || error.is_unrecoverable_error() => {
                        Consequence::Reconnect
                    }
                    _ => Consequence::Count,
                };
                (Self::Refused(refusal), consequence)
            }
        }
    }

    /// Returns the failure of an attempt to connect. The server's text may quote the password, so this keeps
    /// only its code.
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

    /// Returns the other node that a node of a cluster names.
    pub(super) fn redirect(&self) -> Option<Redirect> {
        match self {
            Self::Refused(refusal) => refusal.redirect(),
            _ => None,
        }
    }

    /// Returns the failure since which Redis is down, or the failure itself.
    pub(super) fn cause(self) -> Self {
        match self {
            Self::Down(since, _) => Arc::unwrap_or_clone(since),
            other => other,
        }
    }

    /// Returns true if the failure is of the server, and not of one account. In a cluster another server may have
    /// taken over.
    pub(super) fn is_of_server(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_not_here(),
            Self::Nonsense | Self::RuntimeEnded | Self::Abandoned => false,
            _ => true,
        }
    }

    /// Returns true if the server refused Redis keys of several slots, as some proxies do.
    pub(super) fn is_of_slots(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code() == "CROSSSLOT")
    }

    /// Returns true if the server's refusal has these words.
    pub(super) fn says(&self, words: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.says(words))
    }

    /// Returns true if the connection was given up. A call that must not be made twice was then not repeated.
    pub(super) const fn is_of_connection(&self) -> bool {
        match self {
            Self::Connection(..) => true,
            Self::Refused(refusal) => refusal.is_not_here(),
            _ => false,
        }
    }
}

/// Returns a timeout for a server that answers a ping after this time: three times as long, in steps of 10 ms.
fn advised(ping: Duration) -> Duration {
    let tens = (ping.as_millis() * 3).div_ceil(10);
    Duration::from_millis(u64::try_from(tens * 10).unwrap_or(u64::MAX))
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
    fn a_failure_names_its_cause_and_keeps_it_as_source() {
        let refused = RedisError::from(io::Error::from(io::ErrorKind::ConnectionRefused));
        let (failure, consequence) = Failure::new(&refused);
        assert!(failure.to_string().contains("connection refused"), "{failure}");
        let source = failure.source().unwrap().to_string();
        assert_eq!(source, "connection refused");
        assert_eq!(consequence, Consequence::Reconnect);
        let down = Failure::down(&Arc::new(failure));
        assert!(down.to_string().contains("connection refused"), "{down}");
        assert_eq!(down.source().unwrap().to_string(), source);
    }

    #[test]
    fn other_errors_of_the_client_library_have_consequences_of_their_own() {
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
