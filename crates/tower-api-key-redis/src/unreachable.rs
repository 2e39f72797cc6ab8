//! The causes of a missing connection to Redis, each with its remedy.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError};

/// The error of the operating system or of the protocol parser, unchanged.
pub(super) type Cause = Arc<dyn Error + Send + Sync>;

/// The cause of a missing connection, and its remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreachable {
    #[error(
        "connection refused: start the server, or check the URL's host and port, where no program listens"
    )]
    Refused,
    #[error("the URL's host has no address: check its name, and the name server")]
    NoSuchHost,
    #[error("no route to the host: check the network, and its firewalls")]
    NoRoute,
    #[error(
        "no answer in time: check whether the server hangs, a firewall drops packets, or the port does not speak TLS"
    )]
    TimedOut,
    #[error(
        "the server closed the connection: check whether it was stopped, has too many clients (`maxclients`), \
         refuses this machine (`protected-mode`), expects TLS (`rediss://`), or wants another client certificate"
    )]
    Closed,
    #[error(
        "the peer does not speak the Redis protocol: check the port; if it expects TLS, write `rediss://`"
    )]
    NotRedis,
    #[error(
        "TLS failed: check that the port expects TLS, that the server's certificate names the URL's host and is \
         signed by the authority of `RedisTls::ca`, and whether the server wants a client certificate"
    )]
    Tls,
    #[error("authentication failed: check the URL's user and password, and the server's ACL")]
    Authentication,
    #[error("{0}")]
    Other(io::ErrorKind),
}

impl Unreachable {
    pub(super) fn new(error: &RedisError, cause: Option<&Cause>) -> Self {
        let cause = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
        match (error.kind(), cause) {
            (ErrorKind::AuthenticationFailed, _) => Self::Authentication,
            (ErrorKind::InvalidClientConfig, _) => Self::NoSuchHost,
            (ErrorKind::Parse, _) => Self::NotRedis,
            (_, Some(cause)) => Self::of(cause),
            // An error of the client library: its task that reads the connection has ended.
            (_, None) => Self::Closed,
        }
    }

    fn of(cause: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        match cause.kind() {
            Kind::ConnectionRefused => Self::Refused,
            Kind::TimedOut | Kind::WouldBlock => Self::TimedOut,
            Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => Self::NoRoute,
            Kind::BrokenPipe
            | Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::NotConnected
            | Kind::UnexpectedEof => Self::Closed,
            // The client library's TLS reports a bad certificate and an alert of the server in this way.
            Kind::InvalidData => Self::Tls,
            // The standard library has no error kind for a name that cannot be resolved.
            _ if cause.to_string().contains("lookup address") => Self::NoSuchHost,
            kind => Self::Other(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_cause() {
        use io::ErrorKind as Kind;
        for (kind, expected) in [
            (Kind::ConnectionRefused, Unreachable::Refused),
            (Kind::TimedOut, Unreachable::TimedOut),
            (Kind::HostUnreachable, Unreachable::NoRoute),
            (Kind::NetworkUnreachable, Unreachable::NoRoute),
            (Kind::ConnectionReset, Unreachable::Closed),
            (Kind::UnexpectedEof, Unreachable::Closed),
            (Kind::BrokenPipe, Unreachable::Closed),
            (Kind::InvalidData, Unreachable::Tls),
            (Kind::PermissionDenied, Unreachable::Other(Kind::PermissionDenied)),
        ] {
            let error = RedisError::from(io::Error::from(kind));
            let cause: Cause = Arc::new(io::Error::from(kind));
            assert_eq!(Unreachable::new(&error, Some(&cause)), expected);
        }
        let error = RedisError::from(io::Error::other(""));
        let unknown = "failed to lookup address information: Name or service not known";
        let cause: Cause = Arc::new(io::Error::other(unknown));
        assert_eq!(Unreachable::new(&error, Some(&cause)), Unreachable::NoSuchHost);
        assert_eq!(Unreachable::new(&error, None), Unreachable::Closed);
    }
}
