//! A front door as a file: profile, key formats, routes, plans, store and limiter, in TOML or JSON.
//!
//! This module guards what a file says. A file describes a front door if
//!
//! 1. it is TOML 1.1 or JSON;
//! 2. each of its fields is known, and has a value of the right type;
//! 3. what it takes from the environment or from other files is there;
//! 4. [`build`](crate::ApiKeyLayerBuilder::build) accepts it.
//!
//! Otherwise [`FrontDoorError`] tells all mistakes at once, each with line, column and field.
//!
//! A file has a field for each option of a builder but six, which a program sets:
//! [`clock`](crate::ApiKeyLayerBuilder::clock), [`observer`](crate::ApiKeyLayerBuilder::observer),
//! [`body_from`](crate::ApiKeyLayerBuilder::body_from),
//! [`forward_auth`](crate::ApiKeyLayerBuilder::forward_auth),
//! [`grant_in_request`](crate::ApiKeyLayerBuilder::grant_in_request) and
//! [`preflight_body`](crate::ApiKeyLayerBuilder::preflight_body).
//!
//! A file has at most 1 MiB, and a file that a field is taken from at most 64 KiB. Both are regular files, neither pipes
//! nor devices. What is absent is left out: `null` fits no field.
//!
//! In a deployment, keep secrets out of the file: write `{ env = "NAME" }` or `{ file = "PATH" }` for the value of a
//! field. No message shows what comes from there.

mod backends;
mod check;
mod checked;
mod duration;
mod front_door;
mod gate;
mod instant;
mod locate;
mod management_gate;
mod named;
mod names;
mod nearest;
mod profile;
mod quota;
mod read;
mod report;
mod schema;
mod secret;
mod section;
mod services;
mod tables;
mod text;
mod write;

pub use backends::{
    Backends, CacheSettings, LeaseSettings, LimiterSettings, StoreSettings, UsageSettings,
};
pub use backends::{RedisCertificates, RedisLogin, ReplicaSettings};
pub use duration::LengthOfTime;
pub use front_door::FrontDoor;
pub use gate::TelemetrySettings;
pub use report::{FrontDoorError, Mistake};
pub use schema::{json_schema, json_schema_with};
pub use secret::SecretText;
pub use section::SectionMistake;
pub use services::{
    ConsoleSettings, EventSettings, ManagementSettings, OwnerSettings, WebhookSettings,
};
pub use text::FileFormat;
pub use write::{UnwritableProfile, to_toml};
