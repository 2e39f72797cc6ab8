//! Rendering: one renderer makes responses from a denial and a profile.
//!
//! This module guards what a client can learn; [`profile`](crate::profile) lists the guarantees. The
//! texts of vendors are data of their profiles, and none is written here. What does not depend on a request is
//! rendered when the gate is built.

mod body;
pub(crate) mod caching;
mod challenge;
mod form;
mod grpc;
mod grpc_details;
mod limit_fields;
mod limit_headers;
mod limit_text;
mod number;
mod principal;
pub(crate) mod refusal;
mod renderer;
mod reserved;
mod structured_limits;

pub(crate) use form::AnswerForm;
pub(crate) use refusal::RefusalRequest;
#[cfg(feature = "axum")]
pub(crate) use refusal::refusal;
pub(crate) use renderer::{Authenticated, Renderer};
