//! OpenAPI 3.1 documents of gates.

mod agreement;
mod combine;
mod description;
mod error;
mod facts;
mod gate;
mod merge;
mod operation;
mod own_document;
mod possible;
mod program;
mod rendered;
mod response_headers;
mod responses;
mod sample;
mod schema;
mod security;
mod shared_responses;
mod template;

pub use description::OpenApi;
pub use error::OpenApiError;
pub(crate) use gate::{DescribedGate, DescribedLimits};
