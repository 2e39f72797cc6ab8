//! The observer that logs.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use tracing::field::display;
use tracing::{Level, debug, event, info, warn};

use crate::caller::ClientNetwork;
use crate::decision::{ObservedRequest, RequestDecision, RequestEnd};
use crate::error::{Denial, LimiterError, StoreError};
use crate::key::{KeyDigest, KeyRecord};
use crate::limits::LimiterFallback;
use crate::service::Observer;

/// The target of the events of requests.
const REQUEST: &str = "tower_api_key::request";

/// The target of the events about failures and alarms.
const TROUBLE: &str = "tower_api_key::trouble";

/// Logs each request and each failure, as events of [`tracing`].
///
/// | level | target | events |
/// |---|---|---|
/// | `WARN` | `tower_api_key::trouble` | a store or a limiter that could not answer, with its cause; a key that others may have; a network that is refused |
/// | `WARN` | `tower_api_key::request` | a request that was refused because something failed, or with a status of 500 and more, with the reason; so is a call of gRPC, whose status is 200 |
/// | `INFO` | `tower_api_key::request` | any other refused request |
/// | `DEBUG` | `tower_api_key::request` | an admitted request, a preflight, and a request whose client hung up |
///
/// An event of a request has the fields `vendor`, `decision`, `denial`, `key_id`, `account`, `route`, `client`,
/// `request_id`, `quota`, `cost`, `latency_us`, `end`, `http.request.method` and `http.response.status_code`. A field
/// that does not apply is left out. No field holds a key, a header value or a path. `client` is the client's address:
/// personal data in many countries. The events are in the span in which the gate was called.
///
/// ```
/// use tower_api_key::telemetry::TracingObserver;
/// use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore};
///
/// let builder = ApiKeyLayer::builder(Profile::STANDARD, MemoryStore::new());
/// let layer = builder.observer(TracingObserver::new()).build()?;
/// # Ok::<(), tower_api_key::ConfigError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct TracingObserver(());

impl TracingObserver {
    /// Creates the observer. It logs to the subscriber that is in force where the gate is called.
    pub const fn new() -> Self {
        Self(())
    }
}

/// Logs a request, at a level.
macro_rules! log_request {
    ($level:expr, $request:expr, $end:expr, $message:literal $(, $field:ident = $value:expr)?) => {{
        let (request, end): (&ObservedRequest<'_>, RequestEnd) = ($request, $end);
        event!(
            target: REQUEST,
            $level,
            vendor = request.vendor(),
            decision = request.decision().name(),
            denial = request.denial().map(Denial::name),
            key_id = request.key_id().map(display),
            account = request.account().map(display),
            route = request.route(),
            client = request.client().address.map(display),
            request_id = request.request_id(),
            quota = request.quota().map(|(quota, _)| quota.name()),
            cost = request.cost(),
            latency_us = u64::try_from(request.latency().as_micros()).unwrap_or(u64::MAX),
            end = name(end),
            http.request.method = request.method(),
            http.response.status_code = end.status().map(|status| status.as_u16()),
            $($field = $value,)?
            $message
        );
    }};
}

impl Observer for TracingObserver {
    fn observes_requests(&self) -> bool {
        true
    }

    fn observes_admissions(&self) -> bool {
        false
    }

    fn ended(&self, request: &ObservedRequest<'_>, end: RequestEnd) {
        // A call of gRPC is refused with the status 200, whatever has failed.
        let is_failure = end.status().is_some_and(|status| status.is_server_error())
            || request.denial().is_some_and(Denial::is_failure);
        match (request.decision(), request.denial()) {
            (RequestDecision::Refused, Some(denial)) if is_failure => {
                log_request!(Level::WARN, request, end, "request refused", cause = display(denial));
            }
            (RequestDecision::Unjudged, _) if is_failure => {
                let cause = request.unstated().map(display);
                log_request!(Level::WARN, request, end, "request not judged", cause = cause);
            }
            (RequestDecision::Refused, _) => {
                log_request!(Level::INFO, request, end, "request refused");
            }
            (RequestDecision::Unjudged, _) if end != RequestEnd::HungUp => {
                let cause = request.unstated().map(display);
                log_request!(Level::INFO, request, end, "request not judged", cause = cause);
            }
            _ => log_request!(Level::DEBUG, request, end, "request ended"),
        }
    }

    fn would_refuse(&self, record: &KeyRecord, quota: &str) {
        info!(
            target: REQUEST, key_id = display(record.id()), account = display(record.account().id()), quota,
            "a quota in shadow would have refused the request",
        );
    }

    fn would_refuse_anonymous(&self, network: &ClientNetwork, quota: &str) {
        info!(
            target: REQUEST, network = display(network), quota,
            "a quota in shadow would have refused the request",
        );
    }

    fn refunded(&self, record: &KeyRecord, cost: u32) {
        debug!(
            target: REQUEST, key_id = display(record.id()), account = display(record.account().id()), cost,
            "cost given back",
        );
    }

    fn refunded_anonymous(&self, network: &ClientNetwork, cost: u32) {
        debug!(target: REQUEST, network = display(network), cost, "cost given back");
    }

    fn key_exposed(&self, digest: &KeyDigest) {
        warn!(target: TROUBLE, digest = debug(digest), "a key came over plain HTTP");
    }

    fn key_used_elsewhere(&self, record: &KeyRecord, client: Option<IpAddr>) {
        warn!(
            target: TROUBLE, key_id = display(record.id()), account = display(record.account().id()),
            client = client.map(display), "a key was used outside of its allowlist",
        );
    }

    fn network_refused(&self, client: IpAddr, retry_after: Duration) {
        warn!(
            target: TROUBLE, client = display(client), retry_after_s = retry_after.as_secs(),
            "too many attempts from a network failed",
        );
    }

    fn store_failed(&self, error: &StoreError) {
        warn!(target: TROUBLE, cause = display(Causes(error)), "the store could not answer");
    }

    fn concurrency_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        warn!(
            target: TROUBLE, cause = display(Causes(error)), fallback = fallback.name(),
            "the limiter of simultaneous requests could not answer",
        );
    }

    fn limiter_failed(&self, error: &LimiterError, fallback: LimiterFallback) {
        warn!(
            target: TROUBLE, cause = display(Causes(error)), fallback = fallback.name(),
            "the limiter could not answer",
        );
    }
}

/// Returns the name of how a request ended.
const fn name(end: RequestEnd) -> &'static str {
    match end {
        RequestEnd::Answered(_) => "answered",
        RequestEnd::Failed => "failed",
        RequestEnd::HungUp => "hung_up",
    }
}

/// Prints an error with its causes.
struct Causes<'a>(&'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
