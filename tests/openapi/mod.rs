//! Documents of gates in OpenAPI.

mod documents;
mod facts;
mod merging;
mod provoked;
mod response;
mod world;
