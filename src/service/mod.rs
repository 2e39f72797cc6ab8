//! The tower layer: carries requests through the decision, and decides nothing itself. [`ApiKeyLayer`] says
//! what a deployment must set up.

#[cfg(all(feature = "axum", feature = "tracing"))]
mod admitted_anonymous;
mod asked_refusal;
mod attempt_waits;
#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "axum-server")]
pub mod axum_server;
mod body;
mod builder;
mod capacity;
mod charging;
mod deciding;
mod emptied;
mod end_status;
mod exchange;
mod flow;
mod former_peppers;
mod forward_auth;
mod future;
mod gate;
mod handing_on;
mod layer;
mod layer_counts;
mod mark_connection;
#[cfg(feature = "axum")]
mod mark_listener;
#[cfg(feature = "tonic")]
mod named_service;
mod observation;
mod observer;
mod observers;
mod observing;
mod observing_waits;
#[cfg(feature = "openapi")]
mod openapi;
mod options;
mod other_lookup;
mod preflight;
mod refusals;
#[cfg(feature = "reload")]
pub mod reload;
mod request_facts;
mod request_state;
mod selected_protocol;
mod settling;
mod shared;
mod shared_attempts;
#[cfg(any(feature = "axum", feature = "tokio-rustls"))]
mod streams;
#[cfg(feature = "tokio-rustls")]
mod tls_stream;
#[cfg(feature = "tonic")]
pub mod tonic;
mod wait;

pub use body::GateBody;
pub use builder::ApiKeyLayerBuilder;
pub use future::ResponseFuture;
pub use gate::ApiKeyGate;
pub use layer::ApiKeyLayer;
pub use mark_connection::MarkConnection;
pub use observer::Observer;
pub use preflight::Preflight;
