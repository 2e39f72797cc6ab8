//! What a vendor writes: which credentials it reads, what it demands of a request, and how it answers.
//!
//! A [`Profile`] is data. Its parts are all here, so a vendor's file imports this module, and
//! [`key`](crate::key) for the form of keys and quotas. The five that ship are written so, in
//! [`vendors`](crate::vendors). Who copies no vendor starts from
//! [`Profile::STANDARD`](crate::Profile::STANDARD).
//!
//! Whatever a profile says, a refusal leaves a gate only
//!
//! 1. with the status, body and challenge of the profile's row for its reason;
//! 2. with `Cache-Control: no-store`, and `WWW-Authenticate` on every 401 (RFC 9110 §15.5.2);
//! 3. with `Retry-After` on every 429, in whole seconds, rounded up, at least 1.
//!
//! Every response of a gate that lets strangers in names in `Vary` each header that may carry a credential.
//! So no shared cache answers a request with a key by what a stranger got. The names of a profile's
//! [principal headers](PrincipalHeader) are the gate's: what a service writes under them never leaves.
//!
//! Where a vendor documents one text for several causes, the rows are equal and so are the bytes.
//! Only the [`Denial`](crate::Denial) in the response's extensions tells them apart. Do not let an
//! outer layer write it into the response.

mod answer;
mod body;
mod challenge;
pub(crate) mod description;
mod limit_headers;
mod principal;
mod required_header;
mod source;
mod standard;

pub(crate) use answer::RenderedAnswers;
pub use answer::{Answer, Answers};
pub use body::{CustomBody, ErrorBody};
pub use challenge::Challenge;
pub(crate) use description::Profile;
pub use limit_headers::{Dialect, LimitHeaders, Reset};
pub use principal::{PrincipalHeader, PrincipalValue};
pub use required_header::{Expected, RequiredHeader};
pub use source::{BasicKey, CredentialSource, Scheme};
