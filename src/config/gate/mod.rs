//! What a gate does besides its profile: the tables of a file, and how each becomes an option of the builder.
//!
//! Each table has the name of the builder's method that it is for, and the names of that option's own methods.

mod anonymous;
mod apply;
mod attempts;
mod concurrency;
mod method;
mod otherwise;
mod pepper;
mod peppers;
pub(super) mod plans;
mod prefixes;
mod preflight;
mod proxies;
pub(super) mod roles;
mod route;
mod routes;
mod scopes;
mod statuses;
mod telemetry;

pub(super) use anonymous::AnonymousQuotasTable;
pub(super) use attempts::{FailedAttemptsTable, RefusedRequestsTable};
pub(super) use otherwise::OtherwiseTable;
pub(super) use pepper::PepperTable;
pub(super) use peppers::PeppersTable;
pub(super) use plans::PlansTable;
pub(super) use preflight::PreflightTable;
pub(super) use proxies::TrustedProxiesTable;
pub(super) use roles::RolesTable;
pub(super) use route::{RouteNeedsTable, RouteRowTable};
pub(super) use routes::mistakes as route_mistakes;
pub(super) use scopes::ScopesTable;
pub use telemetry::TelemetrySettings;
