//! OpenAPI 3.1 documents of gates.

mod description;
mod facts;
mod gate;
mod operation;
mod possible;
mod rendered;
mod response_headers;
mod responses;
mod sample;
mod schema;
mod security;
mod shared_responses;
mod template;

pub use description::OpenApi;
pub(crate) use gate::{DescribedGate, DescribedLimits};
