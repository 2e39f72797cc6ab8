//! Answers a proxy's questions about requests (forward auth), so that a service in any language stands behind a gate.
//!
//! `proxies/` has the configurations of nginx, Traefik, Caddy and Envoy. `docs/forward-auth.md` says what holds with
//! each of them, and what forward auth cannot do.

mod admitted;
mod carried_refusal;
mod checker;
mod envoy_status;
pub mod front_door;
mod identity;
mod server;
mod settings;

pub use checker::Checker;
pub use server::{Socket, serve};
pub use settings::{Listen, Proxy, Settings};
