//! Documents of gates in OpenAPI.

mod contradictions;
mod documents;
mod facts;
mod merging;
mod parameters;
mod provoked;
mod quotas;
mod response;
mod security;
mod world;
