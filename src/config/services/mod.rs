//! What runs beside the gate: management over HTTP, events and webhooks, as they stand in a file.
//!
//! The core only reads and checks these tables. `tower-api-key-front-door` runs what they name.

mod console;
mod event_kind;
mod events;
mod management;
mod mount;
mod owners;
mod webhook;

pub use console::ConsoleSettings;
pub use events::EventSettings;
pub use management::ManagementSettings;
pub use owners::OwnerSettings;
pub use webhook::WebhookSettings;
