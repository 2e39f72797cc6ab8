//! Configuring a layer. Every contradiction is found when it is built, and not by a request.

mod keys;
mod layer_builder;
mod limits;
mod strangers;
mod surroundings;
mod transport;

pub use layer_builder::ApiKeyLayerBuilder;
