//! A group of servers that answer alike.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::HeaderValue;
use http::uri::Authority;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::endpoint::Endpoint;
use super::health::Availability;
use crate::Problem;
use crate::settings::{Protocol, UpstreamSettings};

/// The longest time that a probe waits for one server.
const LONGEST_PROBE: Duration = Duration::from_secs(2);

/// A group of servers that answer alike.
pub(crate) struct Upstream {
    pub(super) name: String,
    pub(super) settings: UpstreamSettings,
    pub(super) endpoints: Vec<Arc<Endpoint>>,
    pub(super) host: Option<(Authority, HeaderValue)>,
    /// What the file of authorities held when the upstream was made.
    authorities: Option<Vec<u8>>,
    next: AtomicUsize,
}

impl Upstream {
    /// Makes an upstream. Its connections are opened when they are needed.
    ///
    /// # Errors
    ///
    /// [`Problem`] if an address, the host or TLS is wrong.
    pub(crate) fn new(name: &str, settings: &UpstreamSettings) -> Result<Self, Problem> {
        let problem = |problem: Problem| problem.within(&format!("upstreams.{name}"));
        // Read first: if the file changes while TLS is set up, the next reload sees that it did.
        let authorities = authorities(settings);
        let endpoints = settings.addresses.iter().enumerate().map(|(at, address)| {
            let parsed = address
                .parse::<Authority>()
                .ok()
                .filter(|address| address.port_u16().is_some() && !address.as_str().contains('@'));
            let field = format!("addresses[{at}]");
            let parsed = parsed.ok_or_else(|| Problem::new(field, "write it as `host:port`"))?;
            Endpoint::new(parsed, settings).map(Arc::new)
        });
        let endpoints = endpoints.collect::<Result<Vec<_>, _>>().map_err(problem)?;
        if endpoints.is_empty() {
            return Err(problem(Problem::new("addresses", "name at least one server")));
        }
        let host = settings.host.as_deref().map(|host| {
            let authority = host.parse::<Authority>().ok().filter(|_| !host.contains('@'));
            let value = HeaderValue::from_str(host).ok();
            authority.zip(value).ok_or_else(|| Problem::new("host", "not a valid host"))
        });
        Ok(Self {
            name: name.to_owned(),
            settings: settings.clone(),
            endpoints,
            authorities,
            host: host.transpose().map_err(problem)?,
            next: AtomicUsize::new(0),
        })
    }

    /// Returns true if this upstream was made from these settings and files, so that its connections can be kept.
    pub(crate) fn is_of(&self, settings: &UpstreamSettings) -> bool {
        self.settings == *settings && self.authorities == authorities(settings)
    }

    /// Returns true if a client can switch protocols with these servers.
    pub(crate) fn takes_upgrades(&self) -> bool {
        self.settings.protocol == Protocol::Http1
    }

    /// Returns how long content may pause.
    pub(crate) const fn idle_timeout(&self) -> Duration {
        self.settings.idle_timeout.get()
    }

    /// Lists the servers in the order in which a request tries them: those that answer first, by how many requests
    /// they have, and in turn where these are equal.
    pub(super) fn in_order(&self, now: Instant) -> Vec<&Arc<Endpoint>> {
        let first = self.next.fetch_add(1, Ordering::Relaxed) % self.endpoints.len();
        let (before, after) = self.endpoints.split_at(first);
        let mut may_try = true;
        let mut ranked: Vec<_> = after
            .iter()
            .chain(before)
            .map(|endpoint| {
                let availability = endpoint.health.availability(now, may_try);
                may_try &= availability != Availability::Trial;
                (availability, endpoint.in_flight(), endpoint)
            })
            .collect();
        ranked.sort_by_key(|(availability, in_flight, _)| (*availability, *in_flight));
        ranked.into_iter().map(|(_, _, endpoint)| endpoint).collect()
    }

    /// Connects to each server, and returns how many accept.
    pub(crate) async fn reachable(&self) -> (usize, usize) {
        let limit = self.settings.connect_timeout.get().min(LONGEST_PROBE);
        let mut probes = tokio::task::JoinSet::new();
        for endpoint in &self.endpoints {
            let address = endpoint.address.to_string();
            probes.spawn(timeout(limit, TcpStream::connect(address)));
        }
        let answers = probes.join_all().await;
        (answers.iter().filter(|answer| matches!(answer, Ok(Ok(_)))).count(), answers.len())
    }
}

/// Reads the file of authorities. What cannot be read is found when the upstream is made.
fn authorities(settings: &UpstreamSettings) -> Option<Vec<u8>> {
    fs::read(settings.tls.as_ref()?.authorities.as_ref()?).ok()
}
