//! The ways to a server.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;

use super::address::Address;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::greeting::{ServerRole, greet};
use super::sentinels::Sentinels;
use super::unreachable::Unreachable;

/// The time to make a connection, beside the round trips that it takes.
const CONNECTING: Duration = Duration::from_secs(1);
/// The round trips of a connection: TCP, TLS, login, greeting.
const ROUND_TRIPS: u32 = 4;
/// The longest time of a call that counts as a round trip.
const LONGEST_TRIP: Duration = Duration::from_secs(1);

/// The way to a server: an address that stays, or the one that Sentinels name.
#[derive(Clone)]
pub(super) enum Dialer {
    Server(Arc<Endpoint>, ServerRole),
    Primary(Sentinels),
}

/// A new connection.
pub(super) struct Dialed {
    pub(super) connection: MultiplexedConnection,
    /// The server's address if a Sentinel named it.
    pub(super) named: Option<Address>,
    /// True if the server says that it stands alone.
    pub(super) stands_alone: bool,
}

impl Dialer {
    /// Makes a connection, and greets the server.
    pub(super) async fn dial(&self, timeout: Duration) -> Result<Dialed, Failure> {
        match self {
            Self::Server(endpoint, role) => {
                let (connection, stands_alone) = connect(endpoint, *role, timeout).await?;
                Ok(Dialed { connection, named: None, stands_alone })
            }
            Self::Primary(sentinels) => {
                let address = sentinels.primary(timeout).await?;
                let endpoint = sentinels.server(&address);
                let (connection, stands_alone) =
                    connect(&endpoint, ServerRole::Primary, timeout).await?;
                Ok(Dialed { connection, named: Some(address), stands_alone })
            }
        }
    }

    /// Returns the role of the servers.
    pub(super) const fn role(&self) -> ServerRole {
        match self {
            Self::Server(_, role) => *role,
            Self::Primary(_) => ServerRole::Primary,
        }
    }
}

/// Connects to a server and greets it, in a limited time. Returns true if the server says that it stands alone.
pub(super) async fn connect(
    endpoint: &Endpoint,
    role: ServerRole,
    timeout: Duration,
) -> Result<(MultiplexedConnection, bool), Failure> {
    let made = async {
        let mut connection = endpoint.connect().await?;
        let stands_alone = greet(&mut connection, role, timeout).await?;
        Ok((connection, stands_alone))
    };
    let longest = CONNECTING + timeout.min(LONGEST_TRIP) * ROUND_TRIPS;
    let made = tokio::time::timeout(longest, made).await;
    made.unwrap_or(Err(Failure::Connection(Unreachable::TimedOut, None)))
}
