//! The builder of a layer, which finds every contradiction before any request.

mod anonymous;
mod answers;
#[cfg(feature = "reload")]
mod build_after;
mod forward_auth;
mod keys;
mod layer_builder;
mod limits;
mod request_ids;
mod surroundings;
mod transport;
mod websocket;

pub use layer_builder::ApiKeyLayerBuilder;
