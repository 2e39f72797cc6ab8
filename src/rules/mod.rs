//! Rules that decide whether a key may do what a request asks, and the table of routes.
//!
//! This module guards the decision. Its rules are functions of the request's facts, a record and an
//! instant. They ask no store, limiter or clock. A key that was found may do what a request asks if
//!
//! 1. the id that was presented beside it is its own, if the credential source has one;
//! 2. it is valid: not revoked, not disabled, not expired, and past its start;
//! 3. it belongs to the environment that the gate is pinned to, if the gate is pinned;
//! 4. the client's address is on the key's allowlist, if the key has one;
//! 5. the credential source and the route accept its kind;
//! 6. its account is the one that the path targets, if the path targets one;
//! 7. the request has the headers that the vendor requires;
//! 8. it has the scopes that the route needs, or scopes or roles that grant them.
//!
//! Routes match the path as the client sent it. A path is ambiguous if two readers could read it
//! differently, because of dot segments, empty segments or parameters, or encoded letters or slashes.
//! An ambiguous path matches no route. In a deployment, make sure that the services behind the gate do
//! not normalize paths before they route.

mod account;
mod anonymous_quotas;
mod by_method;
mod compiled_route;
mod compiled_scopes;
mod demand;
#[cfg(feature = "openapi")]
mod described;
mod environment;
mod forward_auth;
mod header;
mod held_scopes;
mod identity;
mod kind;
mod lifecycle;
mod methods;
mod needs;
mod network;
mod own_limits;
mod pattern;
mod query_cost;
mod role_table;
mod roles;
mod route;
mod routes;
#[cfg(all(test, shuttle))]
mod schedules;
mod scope;
mod scope_rules;
mod scope_syntax;
mod table;
mod transport;

pub use crate::error::ScopeNeed;
pub(crate) use account::{Targets, targets_own_account};
pub(crate) use compiled_scopes::CompiledScopes;
pub(crate) use demand::demands;
#[cfg(feature = "openapi")]
pub(crate) use described::DescribedRow;
pub(crate) use environment::belongs_to;
#[cfg(feature = "openapi")]
pub(crate) use header::Accepted;
pub(crate) use header::Demand;
pub(crate) use held_scopes::HeldScopes;
pub(crate) use identity::is_named;
pub(crate) use kind::{served_by_route, served_through};
pub(crate) use lifecycle::is_alive;
pub(crate) use needs::{CountedCallers, RouteNeeds};
pub(crate) use network::admits;
pub use query_cost::QueryCost;
pub use roles::Roles;
pub use route::{Route, RouteRow};
pub use routes::{Otherwise, Routes};
pub(crate) use scope::has_scopes;
pub use scope_rules::ScopeRules;
pub(crate) use table::{Matched, RouteTable};
pub(crate) use transport::is_secure;
