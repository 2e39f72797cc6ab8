//! The Sentinels that know which server is the primary.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::sync;
use tokio::task::JoinSet;

use super::address::Address;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::lock::lock;
use super::named_primary::{LatestPrimary, NamedPrimary};
use super::unreachable::Unreachable;

/// The longest time that the limiter waits for the Sentinels, beside the round trips.
const ASKING: Duration = Duration::from_millis(500);
/// The round trips to a Sentinel: TCP, TLS, login, question.
const ROUND_TRIPS: u32 = 4;
/// The longest time of a call that counts as a round trip.
const LONGEST_TRIP: Duration = Duration::from_secs(1);

/// The Sentinels of a service. Clones share connections.
#[derive(Clone)]
pub(super) struct Sentinels(Arc<SentinelGroup>);

struct SentinelGroup {
    sentinels: Vec<Sentinel>,
    service: String,
    server: Endpoint,
    latest: Mutex<LatestPrimary>,
}

/// A Sentinel, with the connection to it if there is one.
struct Sentinel {
    endpoint: Endpoint,
    connection: sync::Mutex<Option<MultiplexedConnection>>,
}

impl Sentinels {
    /// Creates the Sentinels of a service, with the endpoint by which the limiter logs in at its servers.
    pub(super) fn new(sentinels: Vec<Endpoint>, service: String, server: Endpoint) -> Self {
        let sentinels = sentinels.into_iter();
        let sentinels =
            sentinels.map(|endpoint| Sentinel { endpoint, connection: sync::Mutex::default() });
        let (sentinels, latest) = (sentinels.collect(), Mutex::default());
        Self(Arc::new(SentinelGroup { sentinels, service, server, latest }))
    }

    /// Returns the endpoint of a server of the service.
    pub(super) fn server(&self, address: &Address) -> Endpoint {
        self.0.server.at(address)
    }

    /// Asks all Sentinels for the primary, and believes the one that knows the latest failover. A Sentinel that is cut
    /// off from the others still names the server before it. If no other one answers, the primary that is known stays.
    pub(super) async fn primary(&self, timeout: Duration) -> Result<Address, Failure> {
        let longest = ASKING + timeout.min(LONGEST_TRIP) * ROUND_TRIPS;
        let mut asked = JoinSet::new();
        for index in 0..self.0.sentinels.len() {
            let group = Arc::clone(&self.0);
            asked.spawn(async move {
                let named = tokio::time::timeout(longest, group.ask(index)).await;
                named.unwrap_or(Err(Failure::Connection(Unreachable::TimedOut, None)))
            });
        }
        let mut latest: Option<NamedPrimary> = None;
        let (mut failure, mut answers) = (None, 0);
        while let Some(answer) = asked.join_next().await {
            match answer.unwrap_or(Err(Failure::RuntimeEnded)) {
                Ok(named) => {
                    answers += 1;
                    if latest.as_ref().is_none_or(|known| known.epoch < named.epoch) {
                        latest = Some(named);
                    }
                    // A failover needs most Sentinels, so one of these knows it. The others may be frozen.
                    if answers > self.0.sentinels.len() / 2 {
                        break;
                    }
                }
                // A Sentinel that answers says more than one that does not.
                Err(error) if matches!(failure, None | Some(Failure::Connection(..))) => {
                    failure = Some(error);
                }
                Err(_) => {}
            }
        }
        // The slowest Sentinels answer in the time that each has, so that their connections are kept.
        asked.detach_all();
        match (latest, failure) {
            (Some(named), _) => {
                let by_most = answers > self.0.sentinels.len() / 2;
                Ok(lock(&self.0.latest).after(named, by_most))
            }
            (None, Some(failure)) => Err(Failure::NoSentinel(Arc::new(failure))),
            (None, None) => Err(Failure::UnknownService),
        }
    }
}

impl SentinelGroup {
    async fn ask(&self, index: usize) -> Result<NamedPrimary, Failure> {
        let sentinel = self.sentinels.get(index).ok_or(Failure::UnknownService)?;
        let mut kept = sentinel.connection.lock().await;
        // Without an answer the connection may be dead, so it is kept only after one.
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => sentinel.endpoint.connect().await?,
        };
        let mut command = redis::cmd("SENTINEL");
        command.arg("MASTER").arg(&self.service);
        let answer = command.query_async::<HashMap<String, String>>(&mut connection).await;
        match answer {
            Ok(fields) => {
                *kept = Some(connection);
                NamedPrimary::read(&fields).ok_or(Failure::UnknownService)
            }
            Err(error) => {
                let failure = Failure::from(error);
                Err(if failure.says("No such master") { Failure::UnknownService } else { failure })
            }
        }
    }
}
