//! The management API: an axum router over the operations of [`Management`](crate::management::Management).
//!
//! [`ManagementApi::router`] serves keys, accounts, policies, plans, roles, the trail, usage, counters and the search for
//! a secret's key. Put a gate around the router: without one it answers every request with 500.
//!
//! Every error is a problem document (RFC 9457). Bodies are at most 64 KiB of JSON, and a field that an operation does
//! not know is refused. No answer is stored by caches. `GET /openapi.json` describes all operations, from the table that
//! also makes the router.

mod account_bodies;
mod account_routes;
mod answers;
#[expect(clippy::module_inception, reason = "the module is named for its main type")]
mod api;
mod asking;
mod change_body;
mod counter_routes;
mod document;
mod key_bodies;
mod key_parameters;
mod key_routes;
mod key_view;
mod moment;
mod names_routes;
mod object;
mod operation;
mod policy_bodies;
mod policy_routes;
mod policy_subject;
mod problem;
mod quota_body;
mod schema;
mod strict;
mod trail_routes;
mod usage_routes;

pub use api::ManagementApi;
