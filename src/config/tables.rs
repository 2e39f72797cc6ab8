//! The tables of a file.

use schemars::JsonSchema;
use serde::de::value::MapDeserializer;
use serde::{Deserialize, Serialize};

use super::backends::{LimiterSettings, StoreSettings};
use super::gate::{
    AnonymousQuotasTable, FailedAttemptsTable, OtherwiseTable, PepperTable, PeppersTable,
    PlansTable, PreflightTable, RefusedRequestsTable, RolesTable, RouteRowTable, ScopesTable,
    TelemetrySettings, TrustedProxiesTable,
};
use super::profile::{BaseName, ProfileTable};
use super::read::{Fault, FaultKind};
use super::services::{EventSettings, ManagementSettings, WebhookSettings};

/// A front door.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["profile"]))]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of the builder.
pub(super) struct FrontDoorTable {
    /// The address of the schema, for editors of JSON. It means nothing to the gate.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub(super) schema: Option<String>,
    /// How the vendor authenticates requests.
    #[serde(default)]
    pub(super) profile: ProfileTable,
    /// Where the keys are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) store: Option<StoreSettings>,
    /// Where requests are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) limiter: Option<LimiterSettings>,
    /// The shipped profile whose documented routes this gate has, before those of `routes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) routes_of: Option<BaseName>,
    /// The routes that a key may use. Without any route, and without `routes_of` and `otherwise`, a valid key may do
    /// anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) routes: Option<Vec<RouteRowTable>>,
    /// What happens to requests that no route covers: the gate refuses them unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) otherwise: Option<OtherwiseTable>,
    /// Which scopes of a key grant others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scopes: Option<ScopesTable>,
    /// Scopes by the name of the role that stands for them.
    #[serde(default, skip_serializing_if = "RolesTable::is_empty")]
    pub(super) roles: RolesTable,
    /// Quotas by the name of the plan.
    #[serde(default, skip_serializing_if = "PlansTable::is_empty")]
    pub(super) plans: PlansTable,
    /// Accepts only keys of this environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) environment: Option<String>,
    /// Accepts only keys of this audience. Without this field, only keys without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) audience: Option<String>,
    /// The secret that is mixed into the digest of every key. The issuer of keys needs the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pepper: Option<PepperTable>,
    /// Several peppers in place of `pepper`, while one replaces another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) peppers: Option<PeppersTable>,
    /// Treats every request as one over HTTPS, without proof: on your own machine, or behind a proxy alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) assume_https: bool,
    /// The proxies whose headers prove HTTPS and the client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trusted_proxies: Option<TrustedProxiesTable>,
    /// Takes the id of a request from a trusted proxy.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) request_id_from_proxies: bool,
    /// Admits requests without any credential, where a route needs nothing of a key. Needs `routes`, `routes_of` or
    /// `otherwise`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) optional: bool,
    /// Quotas of requests without a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) anonymous_quotas: Option<AnonymousQuotasTable>,
    /// Passes CORS preflights on to the service without a key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) allow_preflight: bool,
    /// Answers CORS preflights in the gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answer_preflight: Option<PreflightTable>,
    /// Removes the credential of an admitted request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) strip_credential: bool,
    /// Gives the service what is proven about the client.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) client_in_request: bool,
    /// Leaves the decision in the response, for a layer outside of the gate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) decision_in_response: bool,
    /// Gives the service no grant, which saves an allocation for each request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) without_grant: bool,
    /// The full names of the gRPC services behind the gate, as `vendors.v1.Users`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) grpc_services: Vec<String>,
    /// Takes every call of gRPC's type for one, whatever its service is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) only_grpc: bool,
    /// The protocol to select for a WebSocket if the service selects none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) select_websocket_protocol: Option<String>,
    /// How many attempts to authenticate may fail from one network of clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failed_attempts: Option<FailedAttemptsTable>,
    /// How many requests of one key the rules may refuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused_requests: Option<RefusedRequestsTable>,
    /// Counts no requests, and ignores all quotas.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) without_limits: bool,
    /// What the gate logs and counts: nothing unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) telemetry: Option<TelemetrySettings>,
    /// The management API and the console of the keys in the store: not served unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) management: Option<ManagementSettings>,
    /// Records and keeps events of keys. An empty table is enough. Not with `memory:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) events: Option<EventSettings>,
    /// Endpoints that get events. They need `events`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) webhooks: Vec<WebhookSettings>,
}

impl FrontDoorTable {
    /// Returns true if the gate has a field of this name.
    pub(super) fn has(name: &str) -> bool {
        // Serde lists the names with the refusal of one that no field has.
        let unknown = MapDeserializer::<_, Fault>::new(std::iter::once(("\0", true)));
        match Self::deserialize(unknown) {
            Err(Fault { kind: FaultKind::UnknownField { known, .. }, .. }) => known.contains(&name),
            _ => true,
        }
    }
}
