//! A gate behind TLS of its own, with four servers. Each proves to the gate that a client used HTTPS.
//!
//! | server | the line that proves TLS |
//! |---|---|
//! | [`axum_server`] | `.map(MarkAccepted::new)` |
//! | [`axum_serve`], tokio-rustls | `MarkListener::new(listener)` |
//! | [`hyper_util`], tokio-rustls | `MarkConnection::of(&stream)` |
//! | [`tonic`] | none: the feature `tonic` reads what tonic notes |

pub mod axum_serve;
pub mod axum_server;
pub mod hyper_util;
mod setup;
pub mod tonic;

pub use setup::{Failure, Setup};
