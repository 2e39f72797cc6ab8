//! One server of an upstream.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Uri;
use http::uri::{Authority, Scheme};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::dial::Dial;
use super::health::Health;
use super::request_body::RequestBody;
use crate::Problem;
use crate::settings::{Protocol, UpstreamSettings};

/// One server of an upstream, with its connections.
pub(super) struct Endpoint {
    pub(super) address: Authority,
    pub(super) client: Client<Dial, RequestBody>,
    pub(super) health: Health,
    in_flight: AtomicUsize,
}

impl Endpoint {
    pub(super) fn new(address: Authority, settings: &UpstreamSettings) -> Result<Self, Problem> {
        let scheme = if settings.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP };
        let to = Uri::builder().scheme(scheme).authority(address.clone()).path_and_query("/");
        let to = to.build().map_err(|error| Problem::new("addresses", error.to_string()))?;
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .pool_idle_timeout(settings.pool.idle_timeout.get())
            .pool_max_idle_per_host(settings.pool.max_idle)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .set_host(false);
        if settings.protocol == Protocol::Http2 {
            // Finds out that a server is gone, also while a response pauses.
            builder.http2_only(true).http2_keep_alive_interval(settings.connect_timeout.get());
        }
        Ok(Self {
            address,
            client: builder.build(Dial::new(to, settings)?),
            health: Health::new(&settings.health),
            in_flight: AtomicUsize::new(0),
        })
    }

    /// Returns the number of requests that this server has not answered in full.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }
}

/// Counts a request of a server, until it is dropped.
pub(crate) struct InFlight(Arc<Endpoint>);

impl InFlight {
    pub(super) fn new(endpoint: &Arc<Endpoint>) -> Self {
        endpoint.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(endpoint))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
