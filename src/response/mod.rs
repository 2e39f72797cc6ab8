//! How we answer: each vendor's words, from rows of data and one renderer.
//!
//! This room guards what a client can learn. A refusal leaves it only
//!
//! 1. with the status, body and challenge of the profile's row for its reason;
//! 2. with `Cache-Control: no-store`, and `WWW-Authenticate` on every 401 (RFC 9110 §15.5.2);
//! 3. with `Retry-After` on every 429, in whole seconds, rounded up, at least 1.
//!
//! Where a vendor documents one text for several causes, the rows are equal and so are the bytes;
//! only the [`Denial`](crate::Denial) in the response extensions tells them apart. Do not let an
//! outer layer write it into the response.

mod answer;
mod body;
mod caching;
mod challenge;
mod limit_headers;
mod number;
mod principal;
mod refusal;
mod renderer;

pub use answer::{Answer, Answers};
pub use body::{CustomBody, ErrorBody};
pub(crate) use caching::{keep_private, vary_by};
pub use challenge::Challenge;
pub use limit_headers::{Dialect, LimitHeaders, Reset};
pub use principal::{PrincipalHeader, PrincipalValue};
pub(crate) use refusal::Asked;
pub use refusal::refusal;
pub(crate) use renderer::{Renderer, Trail};
