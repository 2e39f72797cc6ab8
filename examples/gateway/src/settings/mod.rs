//! The table `[gateway]` of the file: listeners, upstreams, routes, identity fields and the drain.
//!
//! These are plain serde types. What names belong together is checked where the gateway is built.

mod admin;
mod fixed;
mod gateway;
mod identity;
mod listener;
mod period;
mod route;
mod upstream;

pub use admin::AdminSettings;
pub(crate) use fixed::FixedSettings;
pub use gateway::{DrainSettings, GatewaySettings};
pub use identity::IdentitySettings;
pub use listener::{ListenerSettings, TlsSettings};
pub use period::Period;
pub use route::RouteSettings;
pub use upstream::{HealthSettings, PoolSettings, Protocol, UpstreamSettings, UpstreamTlsSettings};
