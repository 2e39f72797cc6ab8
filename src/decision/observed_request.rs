//! What an observer gets of one request.

use std::fmt;
use std::time::Duration;

use super::policy::Policy;
use super::request_counter::CounterOfLayer;
use super::request_decision::RequestDecision;
use crate::caller::ClientNetwork;
use crate::clock::Timestamp;
use crate::error::Denial;
use crate::key::{AccountId, KeyId, KeyRecord};
use crate::limits::Plan;
use crate::profile::ExceededQuotas;
use crate::quota::{AppliedQuotas, Quota, QuotaStatus, Verdict};
use crate::request::{Client, OriginalRequestError};

/// One request, as [`Observer::admitted`](crate::Observer::admitted) and
/// [`Observer::ended`](crate::Observer::ended) get it. It has no key, no header and no path.
///
/// ```
/// use tower_api_key::decision::{ObservedRequest, RequestEnd};
/// use tower_api_key::Observer;
///
/// struct Log;
///
/// impl Observer for Log {
///     fn observes_requests(&self) -> bool {
///         true
///     }
///
///     fn ended(&self, request: &ObservedRequest<'_>, end: RequestEnd) {
///         let key = request.key_id().map_or("-", |id| id.as_str());
///         println!("{key} {} {} {end:?}", request.route().unwrap_or("-"), request.decision());
///     }
/// }
/// ```
#[derive(Clone, Copy)]
pub struct ObservedRequest<'a> {
    #[cfg_attr(
        not(feature = "metrics"),
        expect(dead_code, reason = "metrics alone count requests")
    )]
    pub(crate) counter: &'a CounterOfLayer,
    pub(crate) policy: &'a Policy,
    pub(crate) plan: &'a Plan,
    pub(crate) vendor: &'a str,
    pub(crate) method: &'static str,
    /// The index in the table of routes.
    pub(crate) route: Option<usize>,
    pub(crate) client: Client,
    /// The network by which the gate counts the client, if it does.
    pub(crate) network: Option<&'a ClientNetwork>,
    pub(crate) record: Option<&'a KeyRecord>,
    pub(crate) decision: RequestDecision,
    pub(crate) denial: Option<&'a Denial>,
    pub(crate) verdict: &'a Verdict,
    /// What the request asks of its quotas.
    pub(crate) asked: u32,
    pub(crate) charged: bool,
    pub(crate) has_waited: bool,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) at: Timestamp,
    pub(crate) latency: Duration,
    pub(crate) unstated: Option<&'a OriginalRequestError>,
}

impl<'a> ObservedRequest<'a> {
    /// Returns the [name of the profile](crate::Profile::name).
    pub const fn vendor(&self) -> &'a str {
        self.vendor
    }

    /// Returns the method of the request, or `_OTHER` if RFC 9110 and RFC 5789 do not have it. So there are ten values.
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// Returns the pattern of the request's route, such as `/v1/users/{id}`; `*` for
    /// [`Otherwise`](crate::rules::Otherwise). So there are as many values as the gate has patterns. `None` if the gate
    /// has no routes, or if it refused the request before it looked for the route.
    pub fn route(&self) -> Option<&'a str> {
        self.policy.route_pattern(self.route)
    }

    /// Returns what is proven about the client.
    pub const fn client(&self) -> Client {
        self.client
    }

    /// Returns the client's network: the one that the gate counts requests without a key by, or one IPv4 address or an
    /// IPv6 `/64`.
    pub fn network(&self) -> ClientNetwork {
        let of_address = || self.client.address.map_or(ClientNetwork::UNKNOWN, ClientNetwork::of);
        self.network.copied().unwrap_or_else(of_address)
    }

    /// Returns the record of the request's valid key. `None` for a request without one.
    pub const fn record(&self) -> Option<&'a KeyRecord> {
        self.record
    }

    /// Returns the id of the request's valid key, which is not secret.
    pub fn key_id(&self) -> Option<&'a KeyId> {
        Some(self.record?.id())
    }

    /// Returns the account of the request's valid key.
    pub fn account(&self) -> Option<&'a AccountId> {
        Some(self.record?.account().id())
    }

    /// Returns the decision.
    pub const fn decision(&self) -> RequestDecision {
        self.decision
    }

    /// Returns the reason why the gate, the handler or the time budget refused the request. `None` if the client hung up
    /// before the refusal was written.
    pub const fn denial(&self) -> Option<&'a Denial> {
        self.denial
    }

    /// Returns why the gate did not judge the question of a proxy: see
    /// [`forward_auth`](crate::ApiKeyLayerBuilder::forward_auth). `None` for all other requests.
    pub const fn unstated(&self) -> Option<&'a OriginalRequestError> {
        self.unstated
    }

    /// Returns the quota that refused the request, and what is left of it: if several did, the one that makes the client
    /// wait longest. For any other request, returns the quota that is nearest to its limit. `None` if no quota was asked.
    pub fn quota(&self) -> Option<(&'a Quota, QuotaStatus)> {
        if matches!(self.denial, Some(Denial::RateLimited { .. })) {
            let (quotas, verdict, cost) = (self.applied_quotas(), self.verdict, self.asked);
            let exceeded = ExceededQuotas { quotas, verdict, cost };
            return exceeded.iter().max_by_key(|(_, status)| status.reset_after());
        }
        let (index, status) = self.verdict.nearest()?;
        let (quota, _) = self.applied_quotas().iter().nth(index)?;
        Some((quota, status))
    }

    /// Returns the quotas that the request was charged to or refused by, each with what is left of it. Quotas in shadow
    /// are among them.
    pub fn quotas(&self) -> impl Iterator<Item = (&'a Quota, QuotaStatus)> {
        let quotas = self.applied_quotas().iter().map(|(quota, _)| quota);
        quotas.zip(self.verdict.statuses().iter().copied())
    }

    /// Returns what an admitted request was charged when it was admitted, in the units of
    /// [`Route::cost`](crate::rules::Route::cost). 0 for a request that the gate refused.
    pub const fn cost(&self) -> u32 {
        if self.charged { self.asked } else { 0 }
    }

    /// Returns the id of the request, if the profile has [request ids](crate::profile::RequestIdHeader).
    pub const fn request_id(&self) -> Option<&'a str> {
        self.request_id
    }

    /// Returns when the gate decided, by its clock. If it has not decided, returns when the request ended.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns true if the request waited for the store, the limiter or a permit.
    pub const fn has_waited(&self) -> bool {
        self.has_waited
    }

    /// Returns how long the decision took, with all waits for the store, the limiter and a permit. Without an observer that
    /// [observes latencies](crate::Observer::observes_latencies), this is the time since the first wait, and zero if there
    /// was none.
    pub const fn latency(&self) -> Duration {
        self.latency
    }

    /// Returns the quotas that apply to the request.
    fn applied_quotas(&self) -> AppliedQuotas<'a> {
        match self.record {
            Some(record) => self.policy.quotas(record, self.plan, self.route),
            None if self.network.is_some() => self.policy.anonymous_quotas(self.route),
            None => AppliedQuotas::default(),
        }
    }
}

impl fmt::Debug for ObservedRequest<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ObservedRequest")
            .field("vendor", &self.vendor)
            .field("method", &self.method)
            .field("route", &self.route())
            .field("decision", &self.decision)
            .field("denial", &self.denial)
            .field("key_id", &self.key_id())
            .field("account", &self.account())
            .field("cost", &self.cost())
            .finish_non_exhaustive()
    }
}
