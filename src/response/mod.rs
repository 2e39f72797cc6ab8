//! Rendering: one renderer makes responses from a denial and a profile.
//!
//! This module guards what a client can learn; [`profile`](crate::profile) lists the guarantees. The
//! texts of vendors are data of their profiles, and none is written here. What does not depend on a request is
//! rendered when the gate is built.

mod body;
mod body_function;
mod by_path;
pub(crate) mod caching;
mod challenge;
mod contradictions;
#[cfg(feature = "openapi")]
mod described;
mod equal_rows;
mod escape;
mod facts;
mod fixed_headers;
mod form;
mod grpc;
mod grpc_details;
mod json_body;
mod lasting_texts;
mod limit_fields;
mod limit_headers;
mod limit_text;
mod media_type;
mod name_pattern;
mod named_rows;
mod number;
mod own_challenges;
mod placeholder;
mod principal;
mod problem;
pub(crate) mod refusal;
mod refusal_parts;
mod renderer;
mod request_ids;
mod reserved;
mod row;
mod row_headers;
mod structured_limits;
mod taken_names;
mod template;
mod uri_reference;

pub(crate) use body_function::BodyFunction;
pub(crate) use by_path::TableIndex;
pub(crate) use facts::{Authenticated, RefusalFacts, RequestFacts};
pub(crate) use form::AnswerForm;
pub(crate) use refusal::RefusalRequest;
#[cfg(feature = "axum")]
pub(crate) use refusal::refusal;
pub(crate) use refusal_parts::RefusalParts;
pub(crate) use renderer::Renderer;
pub(crate) use request_ids::RequestIds;
