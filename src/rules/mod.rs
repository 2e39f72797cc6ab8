//! May this key do this: plain functions of facts, a record and an instant.
//!
//! This room guards the decision itself. A key that was found may do what a request asks if
//!
//! 1. it is alive: not revoked, not disabled, its time come and not over;
//! 2. it belongs to the environment that the gate is pinned to, if it is pinned;
//! 3. the client's address is on the key's allowlist, if it has one;
//! 4. its kind is served through the scheme that carried it, and by the route;
//! 5. the account that the path targets is its own;
//! 6. the headers that the vendor demands are there;
//! 7. it has the scopes that the route needs.
//!
//! Routes are matched on the path as the client sent it. A path that two readers could read
//! differently (dot segments, empty segments or parameters, encoded letters or slashes) matches no
//! route: make sure that the services behind do not normalize paths before they route.

mod account;
mod by_method;
mod compiled_route;
mod demand;
mod environment;
mod header;
mod kind;
mod lifecycle;
mod methods;
mod needs;
mod network;
mod path;
mod pattern;
mod route;
mod routes;
mod scope;
mod table;
mod transport;

pub(crate) use account::{Targets, targets_own_account};
pub(crate) use demand::demands;
pub(crate) use environment::belongs_to;
pub(crate) use header::Demand;
pub(crate) use kind::{served_by_route, served_through};
pub(crate) use lifecycle::is_alive;
pub(crate) use needs::RouteNeeds;
pub(crate) use network::admits;
#[cfg(feature = "axum")]
pub(crate) use path::is_unambiguous;
pub use route::{Route, RouteRow};
pub use routes::{Otherwise, Routes};
pub(crate) use scope::has_scopes;
pub(crate) use table::{Matched, RouteTable};
pub(crate) use transport::is_secure;
