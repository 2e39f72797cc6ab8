//! The tower layer: carries requests through the decision, and decides nothing itself. [`ApiKeyLayer`] says
//! what a deployment must set up.

#[cfg(feature = "axum")]
pub mod axum;
mod body;
mod builder;
mod capacity;
mod charging;
mod deciding;
mod exchange;
mod flow;
mod future;
mod gate;
mod layer;
mod mark_connection;
#[cfg(feature = "tonic")]
mod named_service;
mod observer;
mod options;
mod preflight;
mod refusals;
mod request_state;
mod selected_protocol;
mod shared;
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
