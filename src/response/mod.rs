//! How we answer: each vendor's words, from rows of data and one renderer.
//!
//! This room guards what a client can learn. A refusal leaves it only
//!
//! 1. with the status, body and challenge of the profile's row for its reason;
//! 2. with `Cache-Control: no-store`, and `WWW-Authenticate` on every 401 (RFC 9110 §15.5.2);
//! 3. with `Retry-After` on every 429, in whole seconds, rounded up, at least 1.
//!
//! Every response of a gate that lets strangers in names in `Vary` each header that may carry a credential,
//! so that no shared cache answers a request with a key, or with a bad one, by what a stranger got. The
//! names of a profile's [principal headers](PrincipalHeader) are the gate's: what a service writes under
//! them never leaves.
//!
//! Where a vendor documents one text for several causes, the rows are equal and so are the bytes;
//! only the [`Denial`](crate::Denial) in the response extensions tells them apart. Do not let an
//! outer layer write it into the response.
//!
//! Responses to authenticated requests, refused or not, tell of limits and of the principal, as the
//! profile chooses:
//!
//! ```
//! # use bytes::Bytes;
//! # use http::{Request, Response};
//! # use http_body_util::Full;
//! # use tower::{Layer, ServiceExt, service_fn};
//! # use tower_api_key::key::{Account, KeyHasher, KeyRecord};
//! # use tower_api_key::{ApiKeyLayer, Profile, store::MemoryStore, vendors};
//! # use tower_api_key::limits::MemoryLimiter;
//! # use tower_api_key::quota::OnLimiterFailure;
//! use tower_api_key::response::LimitHeaders;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let store = MemoryStore::new();
//! # let record = KeyRecord::builder("key_1", Account::builder("acme").build()?).build()?;
//! # store.add_now(KeyHasher::sha256().digest(b"0123456789abcdef"), record);
//! let limit_headers = LimitHeaders::X_RATE_LIMIT;
//! let profile = Profile { limit_headers, ..vendors::REST_INTEGRATIONS };
//! # let builder = ApiKeyLayer::builder(profile, store).assume_https();
//! # let builder = builder.limits(MemoryLimiter::new(), OnLimiterFailure::Deny);
//! # let service = builder.build()?.layer(service_fn(|_: Request<()>| async {
//! #     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
//! # }));
//! # let request = Request::get("/").header("authorization", "Bearer 0123456789abcdef").body(())?;
//! let response = service.oneshot(request).await?;
//! assert_eq!(response.headers()["x-ratelimit-remaining"], "99"); // of 100 a minute
//! # Ok(())
//! # }
//! ```

mod answer;
mod body;
mod caching;
mod challenge;
mod limit_headers;
mod number;
mod principal;
pub(crate) mod refusal;
mod renderer;

pub use answer::{Answer, Answers};
pub use body::{CustomBody, ErrorBody};
pub use challenge::Challenge;
pub use limit_headers::{Dialect, LimitHeaders, Reset};
pub use principal::{PrincipalHeader, PrincipalValue};
pub(crate) use refusal::Asked;
#[cfg(feature = "axum")]
pub(crate) use refusal::refusal;
pub(crate) use renderer::{Renderer, Trail};
