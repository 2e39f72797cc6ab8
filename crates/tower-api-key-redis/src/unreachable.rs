//! Why there is no connection to Redis, by name, and what to look at.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError};

/// The error of the operating system, or of the protocol's reader, as it came.
pub(super) type Cause = Arc<dyn Error + Send + Sync>;

/// Names the cause, and the remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreachable {
    #[error("connection refused; nothing listens at the URL's host and port")]
    Refused,
    #[error("the URL's host has no address; check its name, and the name server")]
    NoSuchHost,
    #[error("no way to the host; check the network, and its firewalls")]
    NoRoute,
    #[error("no answer in time; the server hangs, or a firewall drops what is sent to it")]
    TimedOut,
    #[error(
        "the server closed the connection; it was stopped, it takes no more clients (`maxclients`) or none \
         from this machine (`protected-mode`), or the port wants TLS, which a proxy on this machine can add"
    )]
    Closed,
    #[error(
        "what answers does not speak Redis's protocol; check the port: if it wants TLS, a proxy on this \
         machine can add that"
    )]
    NotRedis,
    #[error("authentication failed; check the URL's user and password, and the server's ACL")]
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
            // The library's own: its task that reads the connection has ended.
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
            // Of a name that cannot be resolved the standard library says only this.
            _ if cause.to_string().contains("lookup address") => Self::NoSuchHost,
            kind => Self::Other(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_name() {
        use io::ErrorKind as Kind;
        for (kind, expected) in [
            (Kind::ConnectionRefused, Unreachable::Refused),
            (Kind::TimedOut, Unreachable::TimedOut),
            (Kind::HostUnreachable, Unreachable::NoRoute),
            (Kind::NetworkUnreachable, Unreachable::NoRoute),
            (Kind::ConnectionReset, Unreachable::Closed),
            (Kind::UnexpectedEof, Unreachable::Closed),
            (Kind::BrokenPipe, Unreachable::Closed),
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
