//! The builder of a layer. It finds every contradiction when the layer is built, before any request.

mod anonymous;
mod keys;
mod layer_builder;
mod limits;
mod surroundings;
mod transport;

pub use layer_builder::ApiKeyLayerBuilder;
