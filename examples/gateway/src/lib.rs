//! A reverse proxy with a front door. One file describes listeners, upstreams and routes.
//!
//! `docs/gateway.md` says how to run it, and what the file holds.

mod admin;
mod check;
mod drain;
mod forward;
mod front_door;
mod gateway;
mod in_force;
mod listen;
mod local;
mod problem;
mod readiness;
mod recorder;
pub mod settings;
mod upstream;
mod watch;

pub use check::check;
pub use front_door::{FrontDoor, open};
pub use gateway::Gateway;
pub use problem::Problem;
pub use recorder::record;
pub use watch::Watched;

/// Returns the JSON Schema of the gateway's file, for editors.
pub fn json_schema() -> String {
    tower_api_key::config::json_schema_with::<settings::GatewaySettings>(problem::TABLE)
}
