//! How we answer: one renderer makes responses of a denial and a profile.
//!
//! This room guards what a client can learn; what it guarantees stands in [`profile`](crate::profile). It is
//! mechanism alone: what a vendor says is data there. A profile is rendered when a gate is built, as far as
//! that can be without a request.

mod body;
mod caching;
mod challenge;
mod limit_headers;
mod number;
mod principal;
pub(crate) mod refusal;
mod renderer;

pub(crate) use refusal::Asked;
#[cfg(feature = "axum")]
pub(crate) use refusal::refusal;
pub(crate) use renderer::{Authenticated, Renderer};
